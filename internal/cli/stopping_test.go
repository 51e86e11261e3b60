package cli

import (
	"context"
	"crypto/ed25519"
	"io"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/config"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/spore"
)

// A spore's process ends when it is commanded to, as by a signal.
func TestOrTold(t *testing.T) {
	t.Parallel()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	server, err := testkit.StartRedis()
	check(err)
	t.Cleanup(server.Stop)
	road := testkit.DialTo(t, broker.Options{Addrs: []string{server.Addr}})
	key, err := bundle.NewKey(bundle.RoleNexus)
	check(err)
	s, err := spore.New(spore.Options{Road: road, Name: "a", Bundles: spore.UpdaterOptions{Repository: testkit.NewPublisher(t).Client(t)}, Control: spore.ControlOptions{
		State: t.TempDir(), Keys: func(context.Context) ([]ed25519.PublicKey, error) { return []ed25519.PublicKey{key.Ed25519()}, nil },
	}})
	check(err)
	check(s.Start(t.Context()))
	ctx, free := orTold(t.Context(), s)
	defer free()
	if ctx.Err() != nil {
		t.Error("it ends by itself")
	}
	now := time.Now().UTC()
	stop := &bundle.Command{ID: hive.NewID(), Issuer: "test", Command: hive.CommandStop, Generation: 1, Issued: now, Expires: now.Add(time.Minute)}
	envelope, err := stop.Sign(key)
	check(err)
	check(road.SendControl(t.Context(), envelope))
	heard, unhear := hearSignals()
	defer unhear()
	check((&app{IO: IO{Err: io.Discard}, name: "spore", cfg: config.Default(), signals: heard}).untilSignal(ctx, road, 0, s))
	if nodes, err := road.Nodes(t.Context()); err != nil || len(nodes) != 0 {
		t.Errorf("Nodes = %v, %v, want none: the spore has left", nodes, err)
	}
	again, freeAgain := orTold(t.Context(), s)
	freeAgain()
	if again.Err() == nil {
		t.Error("what is freed goes on")
	}
}
