//go:build unix

package runtime

import (
	"os/exec"
	"syscall"
)

// ownGroup has a command killed together with what it started, and not by what
// is typed at the terminal of this process.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
