//go:build unix

package bundle

import (
	"os"
	"syscall"
)

// lockFile takes the lock that ends with f or its process, and does not wait.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// unlockFile ends the lock. Closing f would not, where a child that is being started
// has f as well for a moment.
func unlockFile(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
