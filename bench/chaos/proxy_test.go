package chaos

import (
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// echo is a proxy before a server that answers what it is sent, and how often it was.
func echo(t *testing.T) (p *proxy, heard chan string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	heard = make(chan string, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 100)
				for {
					n, err := conn.Read(buf)
					if err != nil {
						return
					}
					heard <- string(buf[:n])
					conn.Write(buf[:n])
				}
			}()
		}
	}()
	if p, err = startProxy(socket); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.close()
		l.Close()
	})
	return p, heard
}

func dial(t *testing.T, p *proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// call sends a word and reads as much.
func call(conn net.Conn, word string) (string, error) {
	if _, err := conn.Write([]byte(word)); err != nil {
		return "", err
	}
	answer := make([]byte, len(word))
	_, err := io.ReadFull(conn, answer)
	return string(answer), err
}

func mustCall(t *testing.T, conn net.Conn, word string) {
	t.Helper()
	if answer, err := call(conn, word); answer != word || err != nil {
		t.Fatalf("the answer to %s is %q, %v", word, answer, err)
	}
}

func TestProxyLosesReplies(t *testing.T) {
	t.Parallel()
	p, heard := echo(t)
	p.set(0, 1)
	if answer, err := call(dial(t, p), "lost"); err == nil {
		t.Errorf("there is an answer: %q", answer)
	}
	if got := <-heard; got != "lost" {
		t.Errorf("the server heard %q, want what lost its reply", got)
	}
	p.set(10*ms, 0)
	begun := time.Now()
	mustCall(t, dial(t, p), "late")
	if took := time.Since(begun); took < 10*ms {
		t.Errorf("the reply took %v, want 10 ms at least", took)
	}
}

func TestProxyCuts(t *testing.T) {
	t.Parallel()
	p, _ := echo(t)
	conn := dial(t, p)
	mustCall(t, conn, "a")
	p.cut(true)
	mustCall(t, conn, "b")
	p.cut(false)
	if answer, err := call(conn, "c"); err == nil {
		t.Errorf("there is an answer by a cut connection: %q", answer)
	}
	mustCall(t, dial(t, p), "d")
}

func TestProxyHalfOpen(t *testing.T) {
	t.Parallel()
	p, heard := echo(t)
	deaf := dial(t, p)
	mustCall(t, deaf, "a")
	p.deafen()
	if _, err := deaf.Write([]byte("unheard")); err != nil {
		t.Errorf("a half-open connection refuses: %v", err)
	}
	other := dial(t, p)
	mustCall(t, other, "b")
	p.cut(true)
	if n, err := deaf.Read(make([]byte, 1)); err == nil || n > 0 {
		t.Errorf("a half-open connection answers")
	}
	mustCall(t, other, "c")
	for _, want := range []string{"a", "b", "c"} {
		if got := <-heard; got != want {
			t.Errorf("the server heard %q, want %q", got, want)
		}
	}
}
