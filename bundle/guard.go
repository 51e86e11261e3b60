package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/hive-spore/hive"
)

// maxSeen bounds how many commands a Guard remembers, maxGuardFile its file in bytes.
const (
	maxSeen      = 1024
	maxGuardFile = 256 << 10
)

// Guard lets each command through once, also after a restart and whatever the clock
// does. Its methods may be called concurrently.
type Guard struct {
	path  string
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
// there, nothing was. A damaged file is put aside as PATH.broken, and with it all
// commands are refused that may have been valid before now.
func OpenGuard(path string, now time.Time) (*Guard, error) {
	g := &Guard{path: path}
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return g, nil
	case err != nil:
		return nil, diskError(path, err)
	case g.state.read(data):
		return g, nil
	}
	if err := os.Rename(path, path+".broken"); err != nil {
		return nil, diskError(path, err)
	}
	g.state = guardState{Forgotten: now.Add(maxSkew + hive.MaxControlAge).UTC()}
	return g, diskError(path, g.state.write(path))
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
	if err := next.write(g.path); err != nil {
		return diskError(g.path, err)
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

// read takes over what write wrote: a line of JSON and its SHA-256 in hex.
func (s *guardState) read(data []byte) bool {
	text, sum, _ := bytes.Cut(data, []byte("\n"))
	return len(data) <= maxGuardFile && string(sum) == fmt.Sprintf("%x\n", sha256.Sum256(text)) && json.Unmarshal(text, s) == nil
}

// write replaces the file: what stands there after a crash is the old one or the new.
func (s *guardState) write(path string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s\n%x\n", text, sha256.Sum256(text))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncParent(path)
}

// syncParent makes a new name last. Windows keeps it by itself.
func syncParent(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
