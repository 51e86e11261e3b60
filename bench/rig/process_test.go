package rig

import (
	"strings"
	"testing"
)

// TestNoProgram: of a program that does not start there is nothing to stop.
func TestNoProgram(t *testing.T) {
	t.Parallel()
	const path = "/no/such/program"
	if p, err := launch("bee", path, nil, nil); p != nil || err == nil || !strings.HasPrefix(err.Error(), "start bee: ") {
		t.Errorf("launch = %v, %v, want no process and an error that begins with start bee", p, err)
	}
	if talk, err := StartTalk("bee", path); talk != nil || err == nil || !strings.HasPrefix(err.Error(), "start bee: ") {
		t.Errorf("StartTalk = %v, %v, want no program and an error that begins with start bee", talk, err)
	}
}
