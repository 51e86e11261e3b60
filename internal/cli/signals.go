package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

// signals are those that end a program: SIGINT, SIGTERM and, unless it was started to
// ignore that (nohup), SIGHUP. They are heard from the beginning to the end without a gap,
// for a second one may come at once.
type signals struct {
	first, second context.Context // end with them

	// patient programs hand back what they have at the second one. All others, and these
	// at the third, end at once, as they would without us.
	patient atomic.Bool
}

// hearSignals begins to hear them, until stop is called.
func hearSignals() (s *signals, stop func()) {
	first, interrupt := context.WithCancelCause(context.Background())
	second, cut := context.WithCancel(context.Background())
	s = &signals{first: first, second: second}
	heard := make(chan os.Signal, 2)
	signal.Notify(heard, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(heard, syscall.SIGHUP)
	}
	over := make(chan struct{})
	var listener sync.WaitGroup
	listener.Go(func() {
		defer signal.Stop(heard)
		select {
		case <-heard:
		case <-over:
			return
		}
		patient := s.patient.Load()
		if !patient {
			signal.Stop(heard)
		}
		interrupt(errInterrupted)
		if !patient {
			return
		}
		select {
		case <-heard:
			cut()
		case <-over:
		}
	})
	return s, func() {
		close(over)
		listener.Wait()
		interrupt(nil)
		cut()
	}
}

// next ends with the next signal: the second, or the first where something else ended the
// program's work.
func (s *signals) next() context.Context {
	if s.first.Err() != nil {
		return s.second
	}
	return s.first
}
