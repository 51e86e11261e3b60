package testkit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// Do sends one command and returns its answer: a line or one text.
func (r *Redis) Do(words ...string) (string, error) { return Do(r.Addr, words...) }

// Do sends one command to a server, for what the road has no method for.
func Do(addr string, words ...string) (string, error) {
	c, err := Connect(addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.Do(words...)
}

// Conn is a connection to a server.
type Conn struct {
	net.Conn
	in *bufio.Reader
}

// Connect dials HOST:PORT or the path of a unix socket.
func Connect(addr string) (*Conn, error) {
	network := "tcp"
	if strings.Contains(addr, "/") {
		network = "unix"
	}
	conn, err := net.Dial(network, addr)
	if err != nil {
		return nil, err
	}
	return &Conn{conn, bufio.NewReader(conn)}, nil
}

// Send sends a command whose answer nobody waits for.
func (c *Conn) Send(words ...string) {
	fmt.Fprintf(c, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(c, "$%d\r\n%s\r\n", len(w), w)
	}
}

// Do sends one command and returns its answer: a line or one text, of a list one line
// for each.
func (c *Conn) Do(words ...string) (string, error) {
	c.Send(words...)
	return c.read()
}

func (c *Conn) read() (string, error) {
	line, err := c.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	kind, line := line[0], strings.TrimSpace(line[1:])
	if kind == '-' {
		return "", errors.New(line)
	}
	if kind != '$' && kind != '*' {
		return line, nil
	}
	n, err := strconv.Atoi(line)
	if err != nil || n < 0 {
		return "", err
	}
	if kind == '$' {
		body := make([]byte, n+2)
		_, err = io.ReadFull(c.in, body)
		return string(body[:n]), err
	}
	items := make([]string, n)
	for i := range items {
		if items[i], err = c.read(); err != nil {
			return "", err
		}
	}
	return strings.Join(items, "\n"), nil
}
