package preview1

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"time"
)

// State is what one attempt sees of the world. It serves one attempt and is
// used by the goroutine that runs the guest; the zero State has an empty
// standard input, drops what is written, has no files, and live clocks and
// random numbers. One with mounts must be closed.
type State struct {
	Args []string // without NUL bytes; the first is the program's name
	Env  []string // as "KEY=VALUE", without NUL bytes

	Stdin []byte // all of it; what the guest read of it is counted apart

	// Stdout and Stderr take what the guest writes, whole or with an error,
	// which the guest sees as EIO. They may end the guest by panicking with a
	// *sys.ExitError. The bytes are the guest's memory: not to be kept. nil
	// drops them.
	Stdout, Stderr io.Writer

	World World // nil: the process' clocks and crypto/rand

	Mounts []Mount // at most MaxFiles; they are descriptors 3 and on, in this order

	read int                  // bytes of Stdin that the guest has read
	fds  [standard]descriptor // as the guest left them
	more []descriptor         // 3 and on; nil without mounts, and until one is asked for
}

// Mount is a directory that the guest may read, with all that is in it. A root
// cannot be left, neither by ".." nor by a symbolic link. It is the State's to
// close.
type Mount struct {
	Guest string // the guest's name for it: an absolute path
	Root  *os.Root
}

// writer returns where a descriptor's output goes, or nil if it has none.
func (s *State) writer(to target) io.Writer {
	var w io.Writer
	switch to {
	case stdout:
		w = s.Stdout
	case stderr:
		w = s.Stderr
	default:
		return nil
	}
	if w == nil {
		return io.Discard
	}
	return w
}

// left returns what the guest has not read of its standard input.
func (s *State) left() []byte { return s.Stdin[min(s.read, len(s.Stdin)):] }

// World is where an attempt's time and random numbers come from.
type World interface {
	Realtime() int64  // ns since 1970
	Monotonic() int64 // ns, never less than before
	io.Reader         // of random bytes

	// Sleep returns when d has passed, or ends the guest by panicking with a
	// *sys.ExitError.
	Sleep(ctx context.Context, d time.Duration)
}

// world returns the attempt's.
func (s *State) world() World {
	if s.World != nil {
		return s.World
	}
	return live{}
}

// live is the world of this process.
type live struct{}

// began is when its monotonic clock was zero.
var began = time.Now()

// Realtime implements World.
func (live) Realtime() int64 { return time.Now().UnixNano() }

// Monotonic implements World.
func (live) Monotonic() int64 { return int64(time.Since(began)) }

// Read implements World.
func (live) Read(p []byte) (int, error) { return rand.Read(p) }

// Sleep implements World.
func (live) Sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
