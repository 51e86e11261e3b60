package e2e

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// serveOldRedis answers at the unix socket path like a redis-server that is too
// old: PING, INFO, and errors to all else. The function it returns ends it.
func serveOldRedis(ts *testscript.TestScript, path string) func() {
	listener, err := net.Listen("unix", path)
	ts.Check(err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { answer(conn) })
		}
	})
	return func() {
		listener.Close()
		serving.Wait() // its clients are gone: scripts wait for their processes
	}
}

// answer reads the lines of commands; those that name one are answered.
func answer(conn net.Conn) {
	defer conn.Close()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		const info = "# Server\r\nredis_version:6.2.0\r\n"
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
