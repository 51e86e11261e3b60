package preview1

import (
	"context"
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

	Walltime func() (sec int64, nsec int32) // since 1970; nil: the time of day
	Nanotime func() int64                   // monotonic, in ns; nil: since this process began
	Random   io.Reader                      // nil: crypto/rand

	// Sleep returns when d has passed, or ends the guest by panicking with a
	// *sys.ExitError. nil sleeps until d has passed or ctx is done.
	Sleep func(ctx context.Context, d time.Duration)

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

// began is when the live monotonic clock was zero.
var began = time.Now()

// monotonic returns the monotonic clock in ns.
func (s *State) monotonic() int64 {
	if s.Nanotime != nil {
		return s.Nanotime()
	}
	return int64(time.Since(began))
}

// realtime returns the time of day in ns since 1970.
func (s *State) realtime() int64 {
	if s.Walltime != nil {
		sec, nsec := s.Walltime()
		return sec*int64(time.Second) + int64(nsec)
	}
	return time.Now().UnixNano()
}

// sleep lets d pass.
func (s *State) sleep(ctx context.Context, d time.Duration) {
	if s.Sleep != nil {
		s.Sleep(ctx, d)
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
