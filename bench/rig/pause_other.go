//go:build !unix

package rig

import "errors"

var errNoPause = errors.New("this system cannot pause a process")

// Pause is not possible here.
func (p *Process) Pause() error { return errNoPause }

// Resume is not possible here.
func (p *Process) Resume() error { return errNoPause }
