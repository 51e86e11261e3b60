package bundle

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile takes the lock that ends with f or its process, and does not wait.
func lockFile(f *os.File) error {
	const how = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, new(windows.Overlapped))
}

// unlockFile ends the lock: closing f does, since no child has it.
func unlockFile(*os.File) {}
