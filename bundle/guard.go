package bundle

import (
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hive-spore/hive"
)

// maxSeen bounds how many commands a Guard remembers.
const maxSeen = 1024

// Guard lets each command through once, also after a restart and whatever the clock
// does. Its methods may be called concurrently.
type Guard struct {
	path  string
	disk  disk
	mu    sync.Mutex
	state guardState
}

// guardState is what the file holds. A command is remembered until it has expired;
// then only the latest expiry of those that were forgotten is kept, and what would
// have expired by then is refused: so a clock that went ahead and came back, and
// more commands than can be remembered, bring nothing back either.
type guardState struct {
	Seen      []seenCommand `json:"seen"` // the first to expire first
	Forgotten time.Time     `json:"forgotten"`
}

type seenCommand struct {
	ID      string    `json:"id"`
	Expires time.Time `json:"expires"`
}

// OpenGuard reads what was seen before from a file that Accept writes; none being
// there, nothing was. Its folder is one that a single process writes to. A damaged file
// is put aside as PATH.broken, and with it all commands are refused that may have been
// valid before now.
func OpenGuard(path string, now time.Time) (*Guard, error) {
	g := &Guard{path: path, disk: private()}
	if err := g.disk.sweep(filepath.Dir(path)); err != nil {
		return nil, diskError(path, err)
	}
	damaged, err := g.disk.loadState(path, &g.state)
	if err != nil || !damaged {
		return g, err
	}
	g.state = guardState{Forgotten: now.Add(maxSkew + hive.MaxControlAge).UTC()}
	return g, g.disk.saveState(path, g.state)
}

// Accept returns nil if a spore is to act on the command: it is for it, valid now,
// and was never accepted before. It is remembered on the disk when Accept returns.
func (g *Guard) Accept(c *Command, now time.Time, me Spore) error {
	if err := c.validate(); err != nil {
		return refuse(ReasonInvalid, "the command", err)
	}
	if err := c.Check(me, now); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state.has(c) {
		return refuse(ReasonReplayed, c.String(), nil)
	}
	next := g.state.with(c, now)
	if err := g.disk.saveState(g.path, next); err != nil {
		return err
	}
	g.state = next
	return nil
}

// has reports whether a command was seen, or may have been.
func (s *guardState) has(c *Command) bool {
	return !c.Expires.After(s.Forgotten) ||
		slices.ContainsFunc(s.Seen, func(seen seenCommand) bool { return seen.ID == c.ID })
}

// with returns the state with one more command, without those that have expired.
func (s guardState) with(c *Command, now time.Time) guardState {
	s.Seen = append(slices.Clone(s.Seen), seenCommand{c.ID, c.Expires})
	slices.SortStableFunc(s.Seen, func(a, b seenCommand) int { return a.Expires.Compare(b.Expires) })
	for len(s.Seen) > maxSeen || !now.Before(s.Seen[0].Expires) {
		if s.Seen[0].Expires.After(s.Forgotten) {
			s.Forgotten = s.Seen[0].Expires
		}
		s.Seen = s.Seen[1:]
	}
	return s
}
