package rig

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Talk is a program that takes orders and answers them, a line of JSON each.
type Talk struct {
	*Process
	orders  io.WriteCloser
	file    *os.File
	answers *json.Decoder
}

// StartTalk starts a program. It is to end when there are no more orders.
func StartTalk(name, path string, args ...string) (*Talk, error) {
	p := &Process{name: name, ended: make(chan struct{})}
	p.cmd = exec.Command(path, args...)
	p.cmd.Stderr = &p.said
	orders, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer out.Close() // the program's own remains
	p.cmd.Stdout = out
	if err := p.start(); err != nil {
		_ = answers.Close()
		return nil, err
	}
	return &Talk{p, orders, answers, json.NewDecoder(answers)}, nil
}

// Say gives an order.
func (t *Talk) Say(order any) error {
	text, err := json.Marshal(order)
	if err != nil {
		return err
	}
	if _, err := t.orders.Write(append(text, '\n')); err != nil {
		return t.gone(err)
	}
	return nil
}

// Hear waits for one answer, or for the end of the program.
func (t *Talk) Hear(answer any) error {
	if err := t.answers.Decode(answer); err != nil {
		return t.gone(err)
	}
	return nil
}

// gone says what a program said that talks no more.
func (t *Talk) gone(err error) error {
	t.Kill()
	return fmt.Errorf("%s: %w; it ended (%v) and said:\n%s", t.name, err, t.err, t.said.Bytes())
}

// Stop ends the program.
func (t *Talk) Stop() {
	_ = t.orders.Close() // it may be gone
	t.Process.Stop()
	_ = t.file.Close()
}
