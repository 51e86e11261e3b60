package bundle

import (
	"maps"
	"os"
	"testing"
	"time"
)

// TestStanding: a repository tells until when it is good, expired or not; a client only
// while it is.
func TestStanding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(w.clientOptions())
	w.refresh(c, true)
	const day = 24 * time.Hour
	want := map[string]time.Time{RoleRoot: began.Add(RootLife), RoleTargets: began.Add(90 * day), RoleSnapshot: began.Add(7 * day), RoleTimestamp: began.Add(TimestampLife)}
	for name, standing := range map[string]func() (*Standing, error){"repository": w.repo.Standing, "client": c.Standing} {
		s, err := standing()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !maps.EqualFunc(s.Expires, want, time.Time.Equal) || s.Root.Roles[RoleRoot].Need != 2 || s.Root.Version != 1 {
			t.Errorf("%s: %+v %+v, want %v", name, s.Root, s.Expires, want)
		}
	}
	w.pass(100 * day)
	if s, err := w.repo.Standing(); err != nil || !maps.EqualFunc(s.Expires, want, time.Time.Equal) {
		t.Errorf("after 100 days: %+v, %v", s, err)
	}
	if s, err := c.Standing(); Reason(err) != ReasonExpired {
		t.Errorf("a client after 100 days: %+v, %v", s, err)
	}

	// What was changed or is no metadata is as good as missing.
	if err := os.WriteFile(w.repo.path("metadata/timestamp.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	delete(want, RoleTimestamp)
	if s, err := w.repo.Standing(); err != nil || !maps.EqualFunc(s.Expires, want, time.Time.Equal) {
		t.Errorf("with half a timestamp: %+v, %v", s, err)
	}
}
