package e2e

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"
	"os"
	"fmt"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/embedded"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/spore"
)

func TestStall(t *testing.T) {
	testkit.Guest(t)
	for i := range 100 {
		var log bytes.Buffer
		t0 := time.Now()
		h, err := embedded.Start(t.Context(), embedded.Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Spore: spore.Options{CacheDir: testkit.CacheDir(t), Name: "e"}})
		if err != nil { t.Fatal(err) }
		t1 := time.Now()
		testkit.PublishGuest(t, h.Road)
		t2 := time.Now()
		c := client.New(h.Road, client.Options{})
		r, err := c.Run(t.Context(), hive.Task{Skill: hive.SkillRef{Name: "guest"}, Payload: []byte("echo x")})
		if err != nil { t.Fatal(err) }
		t3 := time.Now()
		_ = c.Close()
		ctx, cancel := context.WithCancel(t.Context()); cancel()
		h.Stop(ctx)
		t4 := time.Now()
		if t4.Sub(t0) > 800*time.Millisecond {
			fmt.Fprintf(os.Stderr, "%d: start %v publish %v run %v (created+%v started+%v finished+%v) stop %v\n%s", i, t1.Sub(t0), t2.Sub(t1), t3.Sub(t2), r.Created.Sub(t2), r.Started.Sub(t2), r.Finished.Sub(t2), t4.Sub(t3), log.String())
		}
	}
}
