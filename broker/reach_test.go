package broker_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// mortal is a server of its own behind a proxy, and a road there that tells a log.
type mortal struct {
	*broker.Broker
	t      *testing.T
	server *testkit.Redis
	proxy  *testkit.Proxy
	log    *testkit.Output
}

func newMortal(t *testing.T, args ...string) *mortal {
	t.Parallel()
	server, err := testkit.StartRedis(args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	m := &mortal{t: t, server: server, proxy: testkit.StartProxy(t, server.Addr), log: &testkit.Output{}}
	m.Broker = testkit.DialTo(t, broker.Options{Addrs: []string{m.proxy.Addr}})
	m.LogTo(slog.New(slog.NewTextHandler(m.log, nil)))
	return m
}

func (m *mortal) do(words ...string) {
	m.t.Helper()
	if _, err := m.server.Do(words...); err != nil {
		m.t.Fatalf("%v: %v", words, err)
	}
}

func (m *mortal) enqueue() error {
	task := echo("")
	_, err := m.Enqueue(m.t.Context(), &task, "")
	return err
}

const saidLost, saidBack = "the road is lost", "the road is back"

// told waits until the log has so many lines of both.
func (m *mortal) told(nLost, nBack int) {
	m.t.Helper()
	giveUp := time.Now().Add(time.Minute)
	for strings.Count(m.log.String(), saidLost) != nLost || strings.Count(m.log.String(), saidBack) != nBack {
		if time.Now().After(giveUp) {
			m.t.Fatalf("the log is\n%swant the road lost %d times, back %d times", m.log, nLost, nBack)
		}
		_ = m.enqueue() // somebody tries again and again
		_, _ = m.Nodes(m.t.Context())
	}
}

// TestLostRoadIsToldOnce: each time it is lost, and each time it is back, however many
// try meanwhile.
func TestLostRoadIsToldOnce(t *testing.T) {
	m := newMortal(t)
	for n := 1; n <= 2; n++ {
		m.server.Kill()
		m.proxy.CutAll()
		for range 5 {
			err := m.enqueue()
			if !errors.Is(err, hive.ErrUnreachable) || !m.Tells(err) {
				t.Errorf("Enqueue = %v, want the road to be lost", err)
			}
		}
		m.told(n, n-1)
		if err := m.server.Restart(); err != nil {
			t.Fatal(err)
		}
		m.told(n, n)
	}
	if m.Tells(errors.New("other")) || m.Tells(nil) {
		t.Error("the road tells what it does not know")
	}
}

// TestServerRefuses: a server that answers and is no road now says what keeps it, once,
// and is one again when nothing does.
func TestServerRefuses(t *testing.T) {
	t.Parallel()
	gone := t.TempDir() + "/gone"
	for name, test := range map[string]struct{ says, begin, end string }{
		"replica": {"is a replica that takes no writes: name its master", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"},
		"alone":   {"too few replicas are connected (min-replicas-to-write)", "CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"},
		"disk":    {"it cannot write to its disk: see its log", "BGSAVE", "CONFIG SET stop-writes-on-bgsave-error no"},
		"busy":    {"is kept busy by a script of somebody", "", "SCRIPT KILL"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMortal(t, "--enable-protected-configs", "yes")
			if err := m.enqueue(); err != nil {
				t.Fatal(err)
			}
			switch name {
			case "disk":
				if err := os.Mkdir(gone, 0o700); err != nil {
					t.Fatal(err)
				}
				m.do("CONFIG", "SET", "dir", gone)
				if err := os.Remove(gone); err != nil {
					t.Fatal(err)
				}
				m.do("CONFIG", "SET", "save", "3600 1")
			case "busy":
				other, err := testkit.Connect(m.server.Addr)
				if err != nil {
					t.Fatal(err)
				}
				defer other.Close()
				m.do("CONFIG", "SET", "busy-reply-threshold", "1")
				other.Send("EVAL", "while true do end", "0")
			}
			if test.begin != "" {
				m.do(strings.Fields(test.begin)...)
			}
			m.proxy.CutAll()
			m.told(1, 0)
			err := m.enqueue()
			if !errors.Is(err, hive.ErrUnreachable) || !m.Tells(err) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Enqueue = %v, want it to say %q", err, test.says)
			}
			if strings.Count(m.log.String(), test.says) != 1 {
				t.Errorf("the log is\n%s", m.log)
			}
			m.do(strings.Fields(test.end)...)
			m.told(1, 1)
		})
	}
}

// TestSilentServer: of half-open connections a call gives each up, and another one
// answers; who is in a hurry waits for none.
func TestSilentServer(t *testing.T) {
	m := newMortal(t)
	m.proxy.Freeze()
	m.proxy.Thaw() // what stands is half open
	if err := m.enqueue(); err != nil {
		t.Errorf("Enqueue = %v, want it to find another connection", err)
	}
	m.proxy.Freeze()
	waiting := make(chan error, 1)
	go func() { waiting <- m.enqueue() }()
	m.CloseIn(10 * time.Millisecond)
	if err := <-waiting; !errors.Is(err, hive.ErrUnreachable) {
		t.Errorf("Enqueue = %v, want that it was cut short", err)
	}
	if err := m.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

// TestSilentServerIsGivenUp: a call to a server that swallows all it is sent ends.
func TestSilentServerIsGivenUp(t *testing.T) {
	m := newMortal(t)
	m.proxy.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	task := echo("")
	if _, err := m.Enqueue(ctx, &task, ""); !errors.Is(err, hive.ErrUnreachable) || ctx.Err() != nil {
		t.Errorf("Enqueue = %v, %v", err, ctx.Err())
	}
	if strings.Count(m.log.String(), saidLost) != 1 {
		t.Errorf("the log is\n%s", m.log)
	}
}

// TestBadLinkWithTLS: with TLS and a user of few rights, over a link that loses replies
// and connections, what is put on the road is there once.
func TestBadLinkWithTLS(t *testing.T) {
	t.Parallel()
	user := append([]string{"--user", "nexus", "on", ">pw"}, broker.RoleNexus.Rules(broker.Options{}, "")...)
	o := testkit.StartTLS(t, "s3cret", user...)
	link := testkit.StartProxy(t, o.Addrs[0])
	o.Addrs, o.Username, o.Password = []string{link.Addr}, "nexus", "pw"
	b := testkit.DialTo(t, o)
	const tasks = 200
	link.Delay(2 * time.Millisecond)
	link.LoseEvery(7)
	for n := range tasks {
		task := echo("")
		for _, err := b.Enqueue(t.Context(), &task, ""); err != nil; _, err = b.Enqueue(t.Context(), &task, "") {
			if t.Context().Err() != nil {
				t.Fatal("the road does not come back")
			}
		}
		if n%50 == 0 {
			link.CutAll()
		}
	}
	link.LoseEvery(0)
	stats, err := b.Stats(t.Context())
	if want := (hive.Stats{Background: tasks, Pending: tasks}); err != nil || stats != want || link.Cuts() == 0 {
		t.Errorf("Stats = %+v, %v, want %+v; %d replies were lost", stats, err, want, link.Cuts())
	}
}
