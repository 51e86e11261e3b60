package ota

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hive-spore/hive/bundle"
)

// rotate gives the roles new keys, as nexus keys rotate does.
func (h *hall) rotate(roles ...string) {
	h.Helper()
	must(h.repo.RotateKeys(bundle.Rotation{Keys: h.keys, Roles: roles}))
}

// follow has the keeper look for keys, those that are not refused.
func (h *hall) follow(log io.Writer, accept func(Keys) error) {
	h.Helper()
	h.resign()
	o := h.options()
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	o.Ring = must(OpenRing(h.keys, accept))
	h.keeper = must(NewKeeper(o))
	h.lead()
}

// said is what a keeper logs, for reading while it leads.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// take returns what was said since the last time.
func (s *said) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}

func anyKeys(Keys) error { return nil }

// TestKeeperFollowsKeys: a keeper signs with the keys that are there now.
func TestKeeperFollowsKeys(t *testing.T) {
	inHall(t, 10*time.Minute, func(h *hall) {
		h.follow(io.Discard, anyKeys)
		h.decide("1.0.0")
		c := h.client(h.dir)
		h.pass(2 * h.look)
		for _, roles := range [][]string{{bundle.RoleNexus}, {bundle.RoleSnapshot}, {bundle.RoleTimestamp}, {bundle.RoleRoot, bundle.RoleTargets}, bundle.KeyRoles} {
			h.rotate(roles...)
			h.pass(2 * h.look)
			for hour := range 3 {
				if _, err := c.Refresh(h.Context()); err != nil {
					t.Fatalf("%s, hour %d: %v", roles, hour, err)
				}
				if got := h.assigned(); got != "crow@1.0.0" { // by the key that is there
					t.Fatalf("%s, hour %d: a spore is to run %q", roles, hour, got)
				}
				h.pass(time.Hour)
			}
			must(h.repo.FinishKeys(bundle.Rotation{Keys: h.keys, Roles: bundle.KeyRoles}))
			h.pass(2 * h.look)
		}
		h.pass(25 * time.Hour) // longer than a timestamp is good
		if _, err := c.Refresh(h.Context()); err != nil {
			t.Errorf("after a day: %v", err)
		}
	})
}

// TestKeeperKeepsKeys: keys that cannot be read, or that spores do not know, are said
// once and take the place of none.
func TestKeeperKeepsKeys(t *testing.T) {
	inHall(t, 10*time.Minute, func(h *hall) {
		var log said
		var refuse atomic.Bool
		h.follow(&log, func(Keys) error {
			if refuse.Load() {
				return errors.New("not listed")
			}
			return nil
		})
		h.decide("1.0.0")
		h.pass(2 * h.look)
		good := must(h.repo.Assigned(h.of(bundle.RoleNexus)[0].Ed25519()))

		path := filepath.Join(h.keys, "nexus.key")
		was := must(os.ReadFile(path))
		goesOn := func(want string) {
			t.Helper()
			stamp := h.stamp()
			log.take()
			h.pass(2 * time.Hour)
			if h.stamp() == stamp {
				t.Errorf("%s: it seals no more", want)
			}
			if text := log.take(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, want) {
				t.Errorf("it says %q, want %q once", text, want)
			}
		}
		if err := os.WriteFile(path, []byte("no key"), 0o600); err != nil {
			t.Fatal(err)
		}
		goesOn("nexus.key")
		other := must(bundle.NewKey(bundle.RoleNexus))
		if err := errors.Join(os.Remove(path), other.Save(path, "")); err != nil {
			t.Fatal(err)
		}
		refuse.Store(true)
		goesOn("not listed")
		if err := os.WriteFile(path, was, 0o600); err != nil {
			t.Fatal(err)
		}
		refuse.Store(false)
		log.take()
		h.pass(2 * h.look)
		if text := log.take(); strings.Contains(text, "level=WARN") {
			t.Errorf("the key is back, and it says %q", text)
		}
		if set := must(h.repo.Assigned(h.of(bundle.RoleNexus)[0].Ed25519())); set.Generation != good.Generation {
			t.Errorf("generation %d, want %d", set.Generation, good.Generation)
		}
	})
}

// TestRingSigns: heads of the audit log are signed by the nexus key of now.
func TestRingSigns(t *testing.T) {
	t.Parallel()
	s := newShop(t, time.Now())
	r := must(OpenRing(s.keys, anyKeys))
	if _, err := OpenRing(t.TempDir(), anyKeys); err == nil {
		t.Error("a directory without keys opens")
	}
	before := r.Public()
	must(s.repo.RotateKeys(bundle.Rotation{Keys: s.keys, Roles: []string{bundle.RoleNexus}}))
	if changed, err := r.Look(); !changed || err != nil {
		t.Errorf("Look = %v, %v after a rotation", changed, err)
	}
	if changed, err := r.Look(); changed || err != nil {
		t.Errorf("Look = %v, %v, and nothing changed", changed, err)
	}
	now := s.of(bundle.RoleNexus)[0]
	if now.Ed25519().Equal(before) || !now.Ed25519().Equal(r.Public()) {
		t.Error("it is not the new key")
	}
}
