package testkit

import "os/exec"

// Restart begins a server that was killed anew, at the same address and empty.
func (r *Redis) Restart() error {
	r.cmd = exec.Command(r.cmd.Path, r.cmd.Args[1:]...)
	r.done = make(chan error, 1)
	if err := r.cmd.Start(); err != nil {
		return err
	}
	go func(cmd *exec.Cmd, done chan<- error) { done <- cmd.Wait() }(r.cmd, r.done)
	return r.await()
}
