package rig

import (
	"bytes"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v3/process"
)

// stopFor is how long a process may take to end after a signal.
const stopFor = 10 * time.Second

// proc is a program of the hive that runs.
type proc struct {
	name string
	cmd  *exec.Cmd
	said bytes.Buffer // stderr; read it after ended is closed
	err  error        // how it ended; likewise

	ended chan struct{}
}

func (k *Kit) start(name string, args ...string) (*proc, error) {
	p := &proc{name: name, ended: make(chan struct{})}
	p.cmd = exec.Command(k.program(name), args...)
	p.cmd.Env, p.cmd.Stderr = k.env(), &p.said
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// check reports a process that has ended although nobody stopped it.
func (p *proc) check() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s ended (%v) and said:\n%s", p.name, p.err, p.said.Bytes())
	default:
		return nil
	}
}

// stop ends the process: gracefully if it can.
func (p *proc) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.ended:
	case <-time.After(stopFor):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

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
