//go:build !linux

package runtime

import "time"

// usage is what a guest took. Where the thread that runs it cannot be asked, the
// time that passed stands for processor time.
type usage struct {
	cpu    time.Duration
	faults int64
}

// began is the origin of a clock that only rises.
var began = time.Now()

func measure() usage { return usage{cpu: time.Since(began)} }

func (before usage) end() usage { return usage{cpu: time.Since(began) - before.cpu} }
