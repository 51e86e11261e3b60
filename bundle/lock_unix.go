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
