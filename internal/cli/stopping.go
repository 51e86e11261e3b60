package cli

import (
	"context"

	"github.com/hive-spore/hive/spore"
)

// orTold returns a context that also ends when a command tells a spore to stop, with
// what frees it.
func orTold(ctx context.Context, s *spore.Spore) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-s.Stopping():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel()
		<-done
	}
}
