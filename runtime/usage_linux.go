package runtime

import (
	goruntime "runtime"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what a guest's thread, which it keeps to itself while it runs, took
// from the kernel.
type usage struct {
	cpu    time.Duration
	faults int64 // pages it was given, or a copy of
}

// measure begins to measure. Page faults are worth knowing because nothing else
// makes a page of an instance its own: an attempt without one wrote only to
// pages that earlier ones wrote to.
func measure() usage {
	goruntime.LockOSThread()
	return threadUsage()
}

// end returns what was used since.
func (before usage) end() usage {
	after := threadUsage()
	goruntime.UnlockOSThread()
	return usage{after.cpu - before.cpu, after.faults - before.faults}
}

func threadUsage() usage {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &r) != nil {
		return usage{}
	}
	return usage{
		cpu:    time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		faults: r.Minflt + r.Majflt,
	}
}
