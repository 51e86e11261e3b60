package broker

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"
)

// knockWithin bounds the wait for a server, or for what may be none.
const knockWithin = 2 * time.Second

// knock finds out how a stranger is met: without a password where the road is, and
// without TLS at the port where the server may talk that way.
func (h *Health) knock(ctx context.Context, encrypt *tls.Config, port int) error {
	conn, err := dialPlain(ctx, h.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if encrypt != nil {
		if conn, err = h.shake(ctx, conn, encrypt); err != nil {
			return err
		}
	}
	answer, err := greet(conn)
	if err != nil {
		return err
	}
	h.Anonymous = strings.HasPrefix(answer, "+")
	h.Clear = h.inTheClear(ctx, port)
	return nil
}

// shake encrypts a connection and keeps until when the certificates are good.
func (h *Health) shake(ctx context.Context, conn net.Conn, encrypt *tls.Config) (net.Conn, error) {
	encrypt = encrypt.Clone()
	if host, _, err := net.SplitHostPort(h.Addr); err == nil && encrypt.ServerName == "" {
		encrypt.ServerName = host
	}
	secure := tls.Client(conn, encrypt)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	h.Encrypted = true
	for _, cert := range secure.ConnectionState().PeerCertificates {
		if h.Expires.IsZero() || cert.NotAfter.Before(h.Expires) {
			h.Expires = cert.NotAfter
		}
	}
	return secure, nil
}

// inTheClear are the addresses at which others than this machine reach the server and
// need no TLS. Of a server on this machine its own addresses are tried.
func (h *Health) inTheClear(ctx context.Context, port int) (open []string) {
	if port == 0 { // or it does not say
		return nil
	}
	hosts := ownAddresses()
	if !h.Local() {
		host, _, _ := net.SplitHostPort(h.Addr)
		hosts = []string{host}
	}
	for _, host := range hosts {
		addr := net.JoinHostPort(host, strconv.Itoa(port))
		if answer, err := greetAt(ctx, addr); err == nil && !strings.HasPrefix(answer, "-DENIED") {
			open = append(open, addr)
		}
	}
	return open
}

// Local reports that the server is asked on this machine, by a socket or by loopback.
func (h *Health) Local() bool {
	host, _, err := net.SplitHostPort(h.Addr)
	return err != nil || onlyHere(host)
}

// onlyHere reports a host that only this machine reaches.
func onlyHere(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// maxOwn bounds the addresses of this machine that are tried.
const maxOwn = 16

// ownAddresses are those by which others reach this machine.
func ownAddresses() (hosts []string) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && len(hosts) < maxOwn {
			hosts = append(hosts, n.IP.String())
		}
	}
	return hosts
}

func greetAt(ctx context.Context, addr string) (string, error) {
	conn, err := dialPlain(ctx, addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return greet(conn)
}

func dialPlain(ctx context.Context, addr string) (net.Conn, error) {
	network := "tcp"
	if strings.Contains(addr, "/") {
		network = "unix"
	}
	conn, err := (&net.Dialer{Timeout: knockWithin}).DialContext(ctx, network, addr)
	if err == nil {
		_ = conn.SetDeadline(time.Now().Add(knockWithin)) // fails where reading will
	}
	return conn, err
}

// greet says PING as a stranger and returns the first line of the answer, if it is that
// of a Redis: "+PONG", "-NOAUTH …", or "-DENIED …" where it only talks to its own machine.
func greet(conn net.Conn) (string, error) {
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return "", err
	}
	line, err := bufio.NewReaderSize(conn, 512).ReadSlice('\n')
	if err == nil && line[0] != '+' && line[0] != '-' {
		err = errors.New("not the answer of a Redis")
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(line)), nil
}
