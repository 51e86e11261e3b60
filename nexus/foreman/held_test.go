package foreman_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// TestTombstonesTakeNoTokens: what was cancelled before its turn costs the others nothing.
func TestTombstonesTakeNoTokens(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		f := newFloor(t, o)
		f.must(f.SetLimit(t.Context(), limit("echo", false, 1, time.Hour, 1)))
		ids := f.submit(60, "echo", "")
		_, err := f.CancelMany(t.Context(), ids)
		f.must(err)
		f.submit(1, "echo", "")
		stop := f.lead()
		defer stop()
		f.await(1, "echo")
		for _, id := range ids {
			if n, _, err := f.Forget(t.Context(), []string{id}); err != nil || n != 1 {
				t.Fatalf("%s stands in a lane still: %d, %v", id, n, err)
			}
		}
	})
}

// TestNewcomersWait: who comes while others wait for a token does not pass those of a higher
// priority.
func TestNewcomersWait(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		f := newFloor(t, o)
		l := limit("echo", false, 20, time.Second, 0)
		l.Burst = 20
		f.must(f.SetLimit(t.Context(), l))
		stop := f.lead()
		defer stop()
		f.submit(40, "echo", "high", 10)
		for n := 0; len(f.held["echohigh"]) < 40; n++ {
			f.submit(1, "echo", fmt.Sprint("low", n), 1)
			f.take()
			for what, held := range f.held {
				if what != "echohigh" && what != "dig" && len(held) > 0 && len(f.held["echohigh"]) < 40 {
					t.Fatalf("%s went before %d of the highest priority", what, 40-len(f.held["echohigh"]))
				}
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// TestTokensAreNotHoarded: a token that is there is given, however deep the bucket is.
func TestTokensAreNotHoarded(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		f := newFloor(t, o)
		l := limit("echo", false, 900, 30*time.Minute, 0) // one in two seconds, half of the burst in a quarter of an hour
		l.Burst = 900
		f.must(f.SetLimit(t.Context(), l))
		stop := f.lead()
		defer stop()
		f.submit(901, "echo", "")
		f.await(901, "echo")
	})
}

// TestReclaimedPlaces: the places of a spore that is lost are free for others.
func TestReclaimedPlaces(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		f := newFloor(t, o)
		o.Lease = 10 * time.Millisecond // of those that are reclaimed
		road := testkit.DialTo(t, o)
		lost := &broker.Session{Node: "b", Incarnation: hive.NewID()}
		f.must(f.Register(t.Context(), lost, &hive.NodeReport{ID: "b", Slots: 1, Skills: []hive.SkillID{{Name: "zed", Version: "1.0.0"}}}))
		f.must(f.SetLimit(t.Context(), hive.Limit{Running: 1}))
		stop := f.lead()
		defer stop()
		f.submit(1, "zed", "")
		for n := 0; n == 0; {
			got, _, err := f.Fetch(t.Context(), lost, 1)
			f.must(err)
			n = len(got)
			time.Sleep(time.Millisecond)
		}
		f.submit(1, "echo", "", 10)
		f.take()
		f.want(0, "echo")
		epoch, leader, _, err := f.Campaign(t.Context(), "", 0)
		f.must(err)
		for n := 0; n == 0; {
			n, err = road.Reclaim(t.Context(), broker.Term{Epoch: epoch, Nexus: leader}, "b")
			f.must(err)
		}
		f.await(1, "echo")
	})
}
