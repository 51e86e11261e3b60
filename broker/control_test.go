package broker_test

import (
	"context"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

func TestBroadcastControl(t *testing.T) {
	onRoads(t, func(r *road) {
		ctx, cancel := context.WithCancel(r.ctx())
		ready, got := make(chan struct{}), make(chan hive.Envelope, 1)
		done := make(chan error, 1)
		go func() { done <- r.SubscribeControl(ctx, func() { close(ready) }, func(e hive.Envelope) { got <- e }) }()
		<-ready
		sent, err := r.BroadcastControl(r.ctx(), "nexus", hive.CommandPing, map[string]int{"n": 1})
		r.check(err)
		e := <-got
		if e.ID != sent.ID || e.Command != hive.CommandPing || string(e.Data) != `{"n":1}` || e.Generation != 1 {
			r.t.Errorf("envelope = %+v", e)
		}
		if err := e.Check("a", time.Now()); err != nil {
			r.t.Errorf("Check = %v", err)
		}
		cancel()
		r.check(<-done)
	})
}
