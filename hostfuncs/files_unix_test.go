//go:build unix

package hostfuncs

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFilesAreNoPipes: what is no file is not opened for good, and nothing waits
// for the other end of a pipe.
func TestFilesAreNoPipes(t *testing.T) {
	g, dir := librarian(t)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir) // a socket's path must be short
	l, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g.wants(errInvalid, "file_read", "models/pipe", 0, 10)
	g.wants(errInvalid, "file_list", "models/pipe")
	g.wants(errUnavailable, "file_read", "models/socket", 0, 10)
	g.gets("b.bin\nempty\nsub/\n", "file_list", "models")
}

func TestSecretsAreNoPipes(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "token"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := SecretsFrom(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a pipe is refused with %v", err)
	}
}
