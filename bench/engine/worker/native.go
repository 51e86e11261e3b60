package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
)

// native starts a program for every task.
type native struct{ path string }

func (n native) caller(ctx context.Context) (caller, error) {
	return func(payload []byte) ([]byte, error) {
		cmd := exec.CommandContext(ctx, n.path)
		cmd.Stdin = bytes.NewReader(payload)
		return cmd.Output()
	}, nil
}

func (native) close() {}

// keep writes a file of which others see all or nothing.
func keep(file string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	if _, err := temporary.Write(content); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}
