package spore_test

import (
	"context"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/spore"
)

func TestStopLeavesACompilationBehind(t *testing.T) {
	t.Parallel()
	s, err := spore.New(newWorld(t).options(spore.Options{Name: "a"}))
	if err != nil {
		t.Fatal(err)
	}
	asked, ended := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(ended) })
	s.Compile(&hive.Skill{Manifest: hive.Manifest{Name: "stuck", Version: "1.0.0"}}, func(context.Context, string) ([]byte, error) {
		close(asked)
		<-ended // as if it compiled for ever
		return nil, context.Canceled
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-asked
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
