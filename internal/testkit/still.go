package testkit

import (
	"time"

	"github.com/alicebob/miniredis/v2"
)

// Still is a road whose clock stands until it is moved. Nothing listens for it: its
// Dial is the way there. Its content is read without a script.
type Still struct {
	*miniredis.Miniredis
	Now time.Time
}

// NewStill returns a road of that kind. Close it after use.
func NewStill() *Still {
	s := &Still{Miniredis: miniredis.NewMiniRedis()}
	s.Begin()
	return s
}

// Begin makes it the same empty road as ever.
func (s *Still) Begin() {
	s.FlushAll()
	s.Seed(1)
	s.Now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s.SetTime(s.Now)
}

// Pass lets time pass, and keys expire.
func (s *Still) Pass(d time.Duration) {
	s.Now = s.Now.Add(d)
	s.SetTime(s.Now)
	s.FastForward(d)
}
