package way

import (
	"context"
	"fmt"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/broker"
)

const (
	idleTable = "Idle: one client, one task at a time, from before Submit to the result in hand.\n" + perTask
	pingTable = "Broadcast PING: from before the broadcast to the answer in hand."
)

// roundTrip measures a task that has the hive for itself.
func (s *suite) roundTrip(skill string) stage {
	row := rateRow(skill, one)
	return stage{"idle: " + row, skill, one, func(ctx context.Context, h *rig.Hive) error {
		call := func() error { return runOne(ctx, h, skill) }
		if _, err := each(s.size.Calls/10, call); err != nil { // warms up
			return err
		}
		var times []time.Duration
		u, err := h.Measure(ctx, func() (err error) {
			times, err = each(s.size.Calls, call)
			return err
		})
		if err != nil {
			return err
		}
		s.report.Add(idleTable, row, append(report.Latency(times), costs(u, float64(s.size.Calls))...)...)
		return nil
	}}
}

// runOne submits a task and waits for its result.
func runOne(ctx context.Context, h *rig.Hive, skill string) error {
	r, err := h.Client.Run(ctx, task(skill, payloads(1)[0]))
	if err != nil {
		return err
	}
	return completed(r)
}

// ping measures how long control commands take to reach every spore, and their
// answers to come back.
func (s *suite) ping() stage {
	return stage{"ping: " + three.String(), rig.Noop, three, func(ctx context.Context, h *rig.Hive) error {
		if err := allListen(ctx, h); err != nil {
			return err
		}
		var first, last []time.Duration
		for range s.size.Calls {
			answers, err := answersTo(ctx, h, answersFor)
			if err == nil && len(answers) < h.Setup.Spores {
				err = fmt.Errorf("%d of %s answered a ping", len(answers), h.Setup)
			}
			if err != nil {
				return err
			}
			first, last = append(first, answers[0]), append(last, answers[len(answers)-1])
		}
		s.report.Add(pingTable, "first answer of 3 spores", report.Latency(first)...)
		s.report.Add(pingTable, "answers of all 3 spores", report.Latency(last)...)
		return nil
	}}
}

const (
	// answersFor is how long the answers to one ping are waited for.
	answersFor = 2 * time.Second
	// listenFor is how long spores may take to subscribe.
	listenFor = 10 * time.Second
)

// allListen returns when every spore answers.
func allListen(ctx context.Context, h *rig.Hive) error {
	for begun := time.Now(); ; {
		answers, err := answersTo(ctx, h, 100*time.Millisecond)
		if err != nil || len(answers) == h.Setup.Spores {
			return err
		}
		if time.Since(begun) > listenFor {
			return fmt.Errorf("%d of %s answer a ping", len(answers), h.Setup)
		}
	}
}

// answersTo pings all spores once and returns when each answer came. It waits no
// longer than d for the next one.
func answersTo(ctx context.Context, h *rig.Hive, d time.Duration) ([]time.Duration, error) {
	inbox := hive.NewID()
	defer h.Road.CloseInbox(ctx, inbox)
	begun := time.Now()
	_, err := h.Road.BroadcastControl(ctx, "bench", hive.CommandPing, broker.PingData{ReplyTo: inbox})
	if err != nil {
		return nil, err
	}
	var answers []time.Duration
	for len(answers) < h.Setup.Spores {
		told, err := h.Road.Answers(ctx, inbox, d)
		if err != nil || len(told) == 0 {
			return answers, err
		}
		at := time.Since(begun)
		for range told {
			answers = append(answers, at)
		}
	}
	return answers, nil
}
