package road

import (
	"context"
	"fmt"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

const (
	memoryTable  = "Memory: bytes in Redis of a queued task of 200 bytes."
	queuedColumn = "bytes"
)

// memory measures what queued tasks take.
func (s *suite) memory(p party) func(context.Context) error {
	return func(ctx context.Context) error {
		st, err := s.stand(ctx, p, setup{slots: 1})
		if err != nil {
			return err
		}
		defer st.close()
		n := s.size.Memory
		if _, err := st.fill(n / 100); err != nil { // connects, loads scripts
			return err
		}
		empty, err := st.memory(ctx)
		if err != nil {
			return err
		}
		if _, err := st.fill(n); err != nil {
			return err
		}
		full, err := st.memory(ctx)
		s.report.Add(memoryTable, p.name, report.Figure{Column: queuedColumn, Value: (full - empty) / float64(n)})
		return err
	}
}

const queueTable = "Long queue: the rate at which a backlog is enqueued in bulk (asynq: by 50 callers), and at which\n" +
	"tasks of it are done, 100 at once.\n" + perTask

func queueRow(p party, backlog int) string { return fmt.Sprintf("%s, %d queued", p.name, backlog) }

// queues are stages of a long and of a short queue. A short one is done soon, so it is
// measured more often.
func (s *suite) queues() []stage {
	all := []stage{
		{"long queue: " + native.name, s.size.Rest, s.queue(native, s.size.Many)},
		{"short queue: " + native.name, s.size.Rounds, s.queue(native, s.size.Few)},
	}
	if s.size.Peers {
		all = append(all,
			stage{"long queue: " + asynqKept.name, 1, s.queue(asynqKept, s.size.Many)},
			stage{"short queue: " + asynqKept.name, s.size.Rounds, s.queue(asynqKept, s.size.Few)})
	}
	return all
}

// queue measures what it takes to do tasks of a backlog.
func (s *suite) queue(p party, backlog int) func(context.Context) error {
	return func(ctx context.Context) error {
		st, err := s.stand(ctx, p, setup{slots: usual, nexus: true})
		if err != nil {
			return err
		}
		defer st.close()
		n := min(p.backlog(s.size.Tasks), backlog)
		if err := st.warm(ctx, n, n/5); err != nil {
			return err
		}
		first, last, err := st.drain(ctx, backlog, n, n/5)
		if err != nil {
			return err
		}
		put := report.Figure{Column: "enqueued/s", Value: perSecond(backlog, st.filled)}
		s.report.Add(queueTable, queueRow(p, backlog), append(last.costs(first, p), put)...)
		return nil
	}
}

const appendTable = "Append-only file, fsync every second: processing as above.\n" + perTask

// appending measures processing by a Redis that writes all to disk.
func (s *suite) appending(p party) func(context.Context) error {
	return func(ctx context.Context) error {
		args := []string{"--appendonly", "yes", "--appendfsync", "everysec"}
		return s.process(ctx, appendTable, p.name, p, setup{slots: usual, nexus: true, redis: args})
	}
}

const tcpTable = "TCP: processing as above, but Redis is reached by TCP on loopback in place of a unix socket.\n" + perTask

// overTCP measures processing by a Redis that is reached as one on another machine is.
func (s *suite) overTCP(p party) func(context.Context) error {
	return func(ctx context.Context) error {
		args, err := rig.OnLoopback()
		if err != nil {
			return err
		}
		return s.process(ctx, tcpTable, p.name, p, setup{slots: usual, nexus: true, redis: args})
	}
}

const sporesTable = "Spores: as many processes with 100 slots each, on this one machine, skill in C.\n" + perTask

// spores measures processing by more of them.
func (s *suite) spores(n int) func(context.Context) error {
	return func(ctx context.Context) error {
		return s.process(ctx, sporesTable, sporesRow(n), sandboxC, setup{slots: usual, nexus: true, spores: n})
	}
}

func sporesRow(n int) string {
	if n == 1 {
		return "1 spore"
	}
	return fmt.Sprintf("%d spores", n)
}
