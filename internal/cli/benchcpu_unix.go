//go:build unix

package cli

import (
	"syscall"
	"time"
)

// processTime is the processor time that this process took so far; 0: it is not known.
func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
