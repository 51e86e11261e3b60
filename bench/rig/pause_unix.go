//go:build unix

package rig

import "syscall"

// Pause stops the process where it is, as a machine does that hangs.
func (p *Process) Pause() error { return p.Signal(syscall.SIGSTOP) }

// Resume has a paused process go on.
func (p *Process) Resume() error { return p.Signal(syscall.SIGCONT) }
