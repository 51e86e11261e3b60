package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/hive-spore/hive/bench/rig"
)

// program is a nexus or a spore that is ended and begun anew.
type program struct {
	name   string
	launch func() (*rig.Process, error)
	logs   string                 // folder for what it said; "": nobody asked
	fell   func(name, how string) // it ended, and nobody had ended it

	hurt sync.Mutex // held by who hurts it

	mu       sync.Mutex
	p        *rig.Process
	expected *atomic.Bool // that it ends
	watching sync.WaitGroup
}

// begin starts the program if it does not run.
func (p *program) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.p != nil && p.p.Check() == nil {
		return nil
	}
	return p.start()
}

func (p *program) start() error {
	started, err := p.launch()
	if err != nil {
		return err
	}
	expected := &atomic.Bool{}
	p.p, p.expected = started, expected
	p.watching.Go(func() { p.watch(started, expected) })
	return nil
}

// watch waits for the end of the program. One that found no road when it began says so
// and ends, and whoever looks after it begins it again.
func (p *program) watch(started *rig.Process, expected *atomic.Bool) {
	<-started.Ended()
	said, how := started.Said()
	p.log(said, how)
	if expected.Load() {
		return
	}
	if code(how) != exitUnreachable || begun(said) {
		p.fell(p.name, fmt.Sprintf("ended by itself (%v): %s", how, tail(said)))
	}
	p.again()
}

// again begins a program that ended by itself, once, if nobody is to end it.
func (p *program) again() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.expected.Load() || p.p.Check() == nil {
		return
	}
	if err := p.start(); err != nil {
		p.fell(p.name, err.Error())
	}
}

// Exit codes of the programs.
const (
	exitUnreachable = 4 // they cannot reach the road
	exitInterrupted = 130
	exitSignalled   = -1 // the signal came before they listened to any
)

// code is the exit code of a program that ended by itself.
func code(how error) int {
	if exit, is := errors.AsType[*exec.ExitError](how); is {
		return exit.ExitCode()
	}
	return 0
}

// begun reports whether a program had reached the road.
func begun(said []byte) bool {
	return bytes.Contains(said, []byte("msg=\"spore online\"")) || bytes.Contains(said, []byte("msg=leading"))
}

func (p *program) log(said []byte, how error) {
	if p.logs == "" {
		return
	}
	f, err := os.OpenFile(filepath.Join(p.logs, p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%s--- ended: %v\n", said, how)
}

// tail is the last of what a program said.
func tail(said []byte) []byte {
	const most = 600
	return said[max(0, len(said)-most):]
}

func (p *program) process() *rig.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.p
}

// expect says that the program is about to be ended.
func (p *program) expect() *rig.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected.Store(true)
	return p.p
}

func (p *program) kill() { p.expect().Kill() }

// terminate ends the program as its user does, which it must do well.
func (p *program) terminate(ctx context.Context) error {
	started := p.expect()
	if err := started.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := await(ctx, p.name+" to end after SIGTERM", func() (bool, error) { return started.Check() != nil, nil })
	if err != nil {
		return err
	}
	said, how := started.Said()
	switch exit := code(how); {
	case exit == exitUnreachable: // it says what it could not do
	case (exit == exitInterrupted || exit == exitSignalled) && !begun(said): // nor had it anything to do
	case how != nil:
		p.fell(p.name, fmt.Sprintf("ended badly after SIGTERM (%v): %s", how, tail(said)))
	}
	return nil
}

// stop ends the program for good.
func (p *program) stop() {
	if p.process() != nil {
		p.kill()
	}
	p.watching.Wait()
}
