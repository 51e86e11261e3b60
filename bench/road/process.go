package road

import (
	"context"
	"time"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

const (
	processTable = "Processing: a backlog of tasks of 200 bytes, handled 100 at once by one worker or spore.\n" + perTask
	fewTable     = "Processing, 10 at once.\n" + perTask
	manyTable    = "Processing, 1,000 at once.\n" + perTask
	rateColumn   = "tasks/s"
	redisColumn  = "Redis µs"
	keptColumn   = "bytes kept"

	// perTask explains the columns of costs.
	perTask = "Per task: processor time of each part, commands that Redis carried out, requests it read;\n" +
		"bytes that Redis keeps of one that is done. Others: the share of the machine that others took."
)

// processing measures how fast a party does a backlog.
func (s *suite) processing(table string, p party, slots int) func(context.Context) error {
	return func(ctx context.Context) error {
		return s.process(ctx, table, p.name, p, setup{slots: slots, nexus: true})
	}
}

// process measures it as a row of a table.
func (s *suite) process(ctx context.Context, table, row string, p party, how setup) error {
	n := p.backlog(s.size.Tasks)
	st, err := s.stand(ctx, p, how)
	if err != nil {
		return err
	}
	defer st.close()
	if err := st.warm(ctx, n, n/5); err != nil {
		return err
	}
	empty, err := st.memory(ctx)
	if err != nil {
		return err
	}
	first, last, err := st.drain(ctx, n, n, n/5)
	if err != nil {
		return err
	}
	if err := st.check(); err != nil {
		return err
	}
	full, err := st.memory(ctx)
	if err != nil {
		return err
	}
	figures := last.costs(first, p)
	if st.redis != nil {
		figures = append(figures, report.Figure{Column: keptColumn, Value: (full - empty) / float64(n)})
	}
	s.report.Add(table, row, figures...)
	return nil
}

// drain enqueues a backlog while nobody works, and then has n tasks of it done. It
// returns what was used when skip of them were, and when all n. Should all be done by the
// first look, it returns what was used before instead: few tasks need no more than that.
func (st *stand) drain(ctx context.Context, backlog, n, skip int) (first, last spent, err error) {
	if _, err := st.fill(backlog); err != nil {
		return first, last, err
	}
	none := spent{tasks: st.before, at: time.Now()}
	if err := st.spent(ctx, &none); err != nil {
		return first, last, err
	}
	if st.peer == ours {
		err = st.suite.kit.StartNexus(st.hive)
	} else {
		err = st.startWorker(n, skip, false)
	}
	if err != nil {
		return first, last, err
	}
	if first, err = st.await(ctx, st.before+skip); err != nil {
		return first, last, err
	}
	if last, err = st.await(ctx, st.before+n); first.tasks == last.tasks {
		first = none
	}
	return first, last, err
}

// warmed is how many tasks each slot of a hive has had before, on average.
const warmed = 5

// warm has a hive do some tasks and then stops its nexus; a native worker will tell when
// it has done skip more, and n more. The worker of a peer is
// started when its backlog is there, of which it is warm when the first part is done.
func (st *stand) warm(ctx context.Context, n, skip int) error {
	if st.peer != ours {
		return nil
	}
	st.before = warmed * st.slots * max(1, st.hive.Setup.Spores)
	if st.skill == "" {
		if err := st.startWorker(st.before+n, st.before+skip, false); err != nil {
			return err
		}
	}
	if _, err := st.fill(st.before); err != nil {
		return err
	}
	if _, err := st.completed(ctx, st.before); err != nil {
		return err
	}
	return st.hive.StopNexus()
}

// spent is what was used until some moment.
type spent struct {
	tasks                         int // done
	at                            time.Time
	redis, nexus, worker, machine time.Duration
	client                        time.Duration // and of this process, which looks
	read                          time.Time     // when all this was asked for
	commands, requests            float64
}

// await returns what was used when n tasks are done: a worker tells, spores are asked
// for by the road's counter.
func (st *stand) await(ctx context.Context, n int) (u spent, err error) {
	if st.worker != nil {
		a, err := st.hear(st.worker)
		if err != nil {
			return u, err
		}
		u.tasks, u.at = n, time.UnixMicro(a.At)
	} else {
		if u.tasks, err = st.completed(ctx, n); err != nil {
			return u, err
		}
		u.at = time.Now()
	}
	return u, st.spent(ctx, &u)
}

// spent fills in what was used so far.
func (st *stand) spent(ctx context.Context, u *spent) (err error) {
	if st.redis != nil {
		if u.redis, err = st.redis.CPU(ctx); err != nil {
			return err
		}
		if u.commands, u.requests, err = st.redis.Commands(ctx); err != nil {
			return err
		}
		st.polls += 2 // the one before does not count itself
		u.commands, u.requests = u.commands-st.polls, u.requests-st.polls
	}
	if st.hive != nil {
		if u.nexus, u.worker, err = st.hive.CPU(); err != nil {
			return err
		}
	}
	if u.client, err = rig.OwnCPU(); err != nil {
		return err
	}
	for t, sum := range map[*rig.Talk]*time.Duration{st.worker: &u.worker, st.server: &u.nexus, st.client: &u.client} {
		if t == nil {
			continue
		}
		used, err := t.CPU()
		if err != nil {
			return err
		}
		*sum += used
	}
	u.machine, err = rig.MachineCPU(ctx)
	u.read = time.Now()
	return err
}

// costs is what each task took since an earlier moment.
func (u spent) costs(before spent, p party) []report.Figure {
	n := float64(u.tasks - before.tasks)
	each := func(after, before time.Duration) float64 { return float64((after - before).Microseconds()) / n }
	figures := []report.Figure{{Column: rateColumn, Value: n / u.at.Sub(before.at).Seconds()}}
	if p.peer != nats {
		figures = append(figures,
			report.Figure{Column: redisColumn, Value: each(u.redis, before.redis)},
			report.Figure{Column: "commands", Value: (u.commands - before.commands) / n},
			report.Figure{Column: "requests", Value: (u.requests - before.requests) / n})
	}
	figures = append(figures, report.Figure{Column: "worker µs", Value: each(u.worker, before.worker)})
	switch p.peer {
	case ours:
		figures = append(figures, report.Figure{Column: "nexus µs", Value: each(u.nexus, before.nexus)})
	case nats:
		figures = append(figures, report.Figure{Column: "server µs", Value: each(u.nexus, before.nexus)})
	}
	all := rig.Usage{Redis: u.redis - before.redis, Nexus: u.nexus - before.nexus, Spores: u.worker - before.worker,
		Client: u.client - before.client, Machine: u.machine - before.machine, Wall: u.read.Sub(before.read)}
	return append(figures, report.Figure{Column: "others %", Value: 100 * all.Others()})
}
