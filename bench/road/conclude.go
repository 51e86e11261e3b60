package road

// conclude judges the targets and puts ratios into words.
func (s *suite) conclude() {
	r := s.report
	rate := func(p party) float64 { return r.Value(processTable, p.name, rateColumn) }
	cpu := func(p party) float64 { return r.Value(processTable, p.name, redisColumn) }
	times := func(what string, a, b, target float64) { r.AtLeast(what, a/b, target, "×") }
	times("processing, sandboxed in C, against asynq with Retention", rate(sandboxC), rate(asynqKept), 6)
	times("processing, native, against asynq with Retention", rate(native), rate(asynqKept), 8)
	times("processing, native, against BullMQ", rate(native), rate(bull), 5)
	r.AtMost("Redis per processed task, native", cpu(native), 20, " µs")
	r.AtMost("Redis per processed task, sandboxed in C", cpu(sandboxC), 20, " µs")
	times("Redis per processed task, asynq with Retention over native", cpu(asynqKept), cpu(native), 5)
	times("Redis per processed task, asynq with Retention over sandboxed", cpu(asynqKept), cpu(sandboxC), 5)

	put := func(p party, how way) float64 { return r.Value(enqueueTable, enqueueRow(p, how), rateColumn) }
	times("enqueue, 50 callers, against asynq", put(native, someCallers), put(asynqKept, someCallers), 2.5)
	times("enqueue, 1 caller, against asynq", put(native, oneCaller), put(asynqKept, oneCaller), 1)
	times("enqueue in bulk, the faster size of each, against BullMQ", max(put(native, bulks), put(native, largeBulks)),
		max(put(bull, bulks), put(bull, largeBulks)), 12)
	times("enqueue in bulk of 500, against BullMQ", put(native, bulks), put(bull, bulks), 12)

	for _, p := range []party{native, sandboxC} {
		r.AtMost("idle, to the result, p50: "+p.name, r.Value(idleTable, p.name, resultP50), 1.2, " ms")
		r.AtMost("idle, to the result, p99: "+p.name, r.Value(idleTable, p.name, resultP99), 4, " ms")
	}

	r.AtMost("bytes of a queued task", r.Value(memoryTable, native.name, queuedColumn), 430, "")
	long := r.Value(queueTable, queueRow(native, s.size.Many), rateColumn)
	times("rate with a long queue against a short one", long, r.Value(queueTable, queueRow(native, s.size.Few), rateColumn), 0.9)
	for _, how := range besides[1:] {
		times("rate, "+how.name, r.Value(limitTable, how.name, rateColumn), r.Value(limitTable, unlimited.name, rateColumn), 0.95)
	}
	for _, sh := range shapes {
		r.AtLeast("routing, "+sh.name, r.Value(routeTable, sh.name, decisionsColumn), 1e6, "/s")
	}
	s.find()
}

// find puts what has no target into words.
func (s *suite) find() {
	r := s.report
	overlapped := func(p party) float64 { return r.Value(overlapTable, p.name, rateColumn) }
	r.Find("overlapped: native does %.1f times the tasks of asynq", overlapped(native), overlapped(asynqKeptLooks))
	r.Find("overlapped: native does %.1f times the tasks of BullMQ", overlapped(native), overlapped(bull))
	r.Find("overlapped: NATS JetStream, which keeps neither record nor result, does %.1f times the tasks of native", overlapped(jetStream), overlapped(native))
	rate := func(table, row string) float64 { return r.Value(table, row, rateColumn) }
	r.Find("processing: a sandbox for each task in C leaves %.2f of the native rate", rate(processTable, sandboxC.name), rate(processTable, native.name))
	r.Find("append-only file: %.2f of the native rate without", rate(appendTable, native.name), rate(processTable, native.name))
	r.Find("TCP: native does %.1f times the tasks of asynq with Retention", rate(tcpTable, native.name), rate(tcpTable, asynqKept.name))
	r.Find("TCP: native does %.1f times the tasks of BullMQ", rate(tcpTable, native.name), rate(tcpTable, bull.name))
	r.Find("spores: 2 do %.2f times the tasks of 1", rate(sporesTable, sporesRow(2)), rate(sporesTable, sporesRow(1)))
	r.Find("spores: 4 do %.2f times the tasks of 1", rate(sporesTable, sporesRow(4)), rate(sporesTable, sporesRow(1)))
	finished := func(p party) float64 { return r.Value(processTable, p.name, keptColumn) }
	for _, how := range besides[1:] {
		r.Find("limits: "+how.name+", and an idle task takes %.2f times as long at p50", r.Value(limitTable, how.name, resultP50), r.Value(limitTable, unlimited.name, resultP50))
	}
	r.Find("memory: a finished task of asynq with Retention takes %.1f times as much", finished(asynqKept), finished(native))
	r.Find("memory: a finished task of BullMQ takes %.1f times as much", finished(bull), finished(native))
}
