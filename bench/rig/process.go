package rig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v3/process"
)

// stopFor is how long a process may take to end after a signal.
const stopFor = 10 * time.Second

// Process is a program that runs.
type Process struct {
	name string
	cmd  *exec.Cmd
	said bytes.Buffer // stdout and stderr; read it after ended is closed
	err  error        // how it ended; likewise

	ended chan struct{}
}

// Launch starts a program of the kit.
func (k *Kit) Launch(name string, args ...string) (*Process, error) {
	return launch(name, k.program(name), k.env(), args)
}

// LaunchRedis starts a redis-server, or a sentinel, by its arguments.
func LaunchRedis(args ...string) (*Process, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("%w (install Debian's package redis-server, or run scripts/test)", err)
	}
	return launch("redis-server", path, os.Environ(), args)
}

func launch(name, path string, env, args []string) (*Process, error) {
	p := &Process{name: name, ended: make(chan struct{})}
	p.cmd = exec.Command(path, args...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, &p.said, &p.said
	if err := p.start(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Process) start() error {
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return nil
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Said is what a process that has ended said, and how it ended.
func (p *Process) Said() ([]byte, error) { return p.said.Bytes(), p.err }

// Check reports a process that has ended although nobody stopped it.
func (p *Process) Check() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s ended (%v) and said:\n%s", p.name, p.err, p.said.Bytes())
	default:
		return nil
	}
}

// Signal sends one, to a process that may have ended already.
func (p *Process) Signal(s os.Signal) error {
	err := p.cmd.Process.Signal(s)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Kill ends the process as kill -9 does.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.ended
}

// Stop ends the process: gracefully if it can.
func (p *Process) Stop() {
	_ = p.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopFor):
		p.Kill()
	}
}

// CPU is the processor time the process has taken so far.
func (p *Process) CPU() (time.Duration, error) { return used(p.cmd.Process.Pid) }

// used is how much processor time a process has taken so far.
func used(pid int) (time.Duration, error) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return 0, fmt.Errorf("processor time of %d: %w", pid, err)
	}
	t, err := p.Times()
	if err != nil {
		return 0, fmt.Errorf("processor time of %d: %w", pid, err)
	}
	return seconds(t.User + t.System), nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
