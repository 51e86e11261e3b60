package spore_test

import (
	"context"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/spore"
)

// stuck is a source of a skill that is never ready, as if it compiled for ever.
type stuck struct {
	asked chan struct{}
	ended chan struct{}
}

func (s stuck) Skills(context.Context) ([]hive.Skill, error) {
	return []hive.Skill{{Manifest: hive.Manifest{Name: "stuck", Version: "1.0.0"}}}, nil
}

func (s stuck) Program(context.Context, string) ([]byte, error) {
	close(s.asked)
	<-s.ended
	return nil, context.Canceled
}

func TestStopLeavesACompilationBehind(t *testing.T) {
	t.Parallel()
	s, err := spore.New(spore.Options{Road: testkit.Dial(t), Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	source := stuck{make(chan struct{}), make(chan struct{})}
	t.Cleanup(func() { close(source.ended) })
	s.SetSource(source)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-source.asked
	ctx, second := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- s.Stop(ctx) }()
	second() // signal
	select {
	case err := <-stopped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("Stop waits for the compilation")
	}
}
