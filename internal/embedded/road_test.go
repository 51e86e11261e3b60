package embedded_test

import (
	"bufio"
	"fmt"
	"net"
	"testing"

	"go.uber.org/goleak"

	"github.com/hive-spore/hive/internal/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestExpiry: keys of the road in memory expire.
func TestExpiry(t *testing.T) {
	road, err := embedded.StartRoad("", false)
	if err != nil {
		t.Fatal(err)
	}
	defer road.Close()
	conn, err := net.Dial("tcp", road.Options().Addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	replies := bufio.NewReader(conn)
	ask := func(words ...string) string {
		fmt.Fprintf(conn, "*%d\r\n", len(words))
		for _, w := range words {
			fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(w), w)
		}
		reply, err := replies.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	if got := ask("SET", "key", "value", "PX", "900"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	for ask("EXISTS", "key") != ":0\r\n" {
	}
}
