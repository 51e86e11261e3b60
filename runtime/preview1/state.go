package preview1

import (
	"context"
	"crypto/rand"
	"io"
	"time"
)

// State is what one attempt sees of the world. It serves one attempt and is
// used by the goroutine that runs the guest; the zero State has an empty
// standard input, drops what is written, and has live clocks and random
// numbers.
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

	read int                     // bytes of Stdin that the guest has read
	fds  [descriptors]descriptor // as the guest left them
}

// descriptors is how many there are: standard input, output and error. None
// is ever added, since nothing can be opened.
const descriptors = 3

// stream is what a descriptor stands for.
type stream uint8

// The zero stream makes the zero State that of an attempt about to begin.
const (
	original stream = iota // descriptor 0 is stdin, 1 stdout, 2 stderr
	stdin
	stdout
	stderr
	closed
)

// descriptor is an entry of the attempt's table of descriptors.
type descriptor struct {
	stream stream
	flags  uint16 // fdflags that the guest set; they change nothing
}

// at returns what the descriptor stands for, closed if it is none.
func (s *State) at(fd uint64) stream {
	if uint32(fd) >= descriptors {
		return closed
	}
	if now := s.fds[uint32(fd)].stream; now != original {
		return now
	}
	return stdin + stream(fd)
}

// writer returns where the stream's output goes, or nil if it has none.
func (s *State) writer(to stream) io.Writer {
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
