//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd || solaris || illumos

package broker

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
)

// lively is a connection with TLS whose end the pool of the Redis client notices before
// it is used again. Of a plain one it asks the socket, of TLS nobody: so when a server
// ends all connections, as that of a user whose password changed, a command would come
// upon one after the other, and give up.
func lively(conn *tls.Conn) net.Conn { return livelyConn{conn} }

type livelyConn struct{ *tls.Conn }

// SyscallConn is what the pool looks for.
func (c livelyConn) SyscallConn() (syscall.RawConn, error) {
	under, ok := c.NetConn().(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	raw, err := under.SyscallConn()
	return silence{raw}, err
}

// silence is a socket that has nothing to say: whatever waits there now is the end, or
// a record of TLS that the pool could make nothing of.
type silence struct{ syscall.RawConn }

// Read looks by itself: the pool would take a record for an answer of Redis.
func (s silence) Read(func(fd uintptr) bool) error {
	var something error
	err := s.RawConn.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		if !errors.Is(err, syscall.EAGAIN) {
			something = io.EOF
		}
		return true
	})
	return errors.Join(err, something)
}
