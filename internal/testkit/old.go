package testkit

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// ServeVersion answers PING and INFO as a redis-server of another version does,
// until the test ends. It returns where.
func ServeVersion(t testing.TB, version string) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { answerVersion(conn, version) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		serving.Wait() // Dial has closed its connections
	})
	return ln.Addr().String()
}

// answerVersion reads the lines of commands; those that name one are answered.
func answerVersion(conn net.Conn, version string) {
	defer conn.Close()
	info := "# Server\r\nredis_version:" + version + "\r\n"
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		switch strings.ToUpper(lines.Text()) {
		case "PING":
			fmt.Fprint(conn, "+PONG\r\n")
		case "INFO":
			fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(info), info)
		case "HELLO", "CLIENT":
			fmt.Fprint(conn, "-ERR unknown command\r\n")
		}
	}
}
