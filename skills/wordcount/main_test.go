package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// broken fails on the first write.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("pipe is gone") }

func TestRun(t *testing.T) {
	var stdout, stderr strings.Builder
	if code := run(strings.NewReader("to bee\nor not\n"), &stdout, &stderr); code != 0 {
		t.Errorf("exit code = %d, want 0", code)
	}
	if got, want := stdout.String(), `{"lines":2,"words":4,"bytes":14}`; got != want {
		t.Errorf("stdout = %s, want %s", got, want)
	}
	if stderr.Len() != 0 {
		t.Errorf("stderr = %q, want nothing", stderr.String())
	}
}

func TestRunReportsErrors(t *testing.T) {
	tests := []struct {
		name   string
		stdin  io.Reader
		stdout io.Writer
		want   string
	}{
		{"read", iotest.ErrReader(errors.New("disk on fire")), io.Discard, "wordcount: read input: disk on fire\n"},
		{"write", strings.NewReader("x"), broken{}, "wordcount: write result: pipe is gone\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stderr strings.Builder
			if code := run(tt.stdin, tt.stdout, &stderr); code != 1 {
				t.Errorf("exit code = %d, want 1", code)
			}
			if stderr.String() != tt.want {
				t.Errorf("stderr = %q, want %q", stderr.String(), tt.want)
			}
		})
	}
}
