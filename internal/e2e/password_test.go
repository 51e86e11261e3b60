package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/testkit"
)

// hand gives programs the newest password of a user, as an editor would: another file
// in the place of the one before.
func (a *acl) hand(user string) {
	a.Helper()
	path := filepath.Join(a.held, user+".password")
	if err := os.WriteFile(path+".new", []byte(a.password(user+".password")+"\n"), 0o600); err != nil {
		a.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		a.Fatal(err)
	}
}

// load has the server read its users anew, which ends the connections of those that
// changed.
func (a *acl) load() {
	a.Helper()
	host, port, _ := strings.Cut(a.opts.Addrs[0], ":")
	load := exec.Command("redis-cli", "--tls", "--cacert", a.ca, "-h", host, "-p", port, "--user", "admin", "ACL", "LOAD")
	load.Env = append(os.Environ(), "REDISCLI_AUTH="+a.password("admin.password"))
	if out, err := load.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "OK" {
		a.Fatalf("ACL LOAD: %s, %v", out, err)
	}
}

// stream puts tasks on a road one after the other, four at a time, until stop is called.
// All of them are to complete.
type stream struct {
	t    *testing.T
	done atomic.Int64
	stop func()
}

func newStream(t *testing.T, road *broker.Broker) *stream {
	s := &stream{t: t}
	submitter := client.New(road, client.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	const lanes = 4
	for range lanes {
		go func() {
			for ctx.Err() == nil {
				s.one(ctx, submitter)
			}
			ended <- struct{}{}
		}()
	}
	s.stop = func() {
		cancel()
		for range lanes {
			<-ended
		}
		submitter.Close()
	}
	return s
}

func (s *stream) one(ctx context.Context, submitter *client.Client) {
	id, err := submitter.Submit(ctx, guest("sleep 1ms"))
	if err != nil {
		if ctx.Err() == nil {
			s.t.Errorf("submit: %v", err)
		}
		return
	}
	r, err := submitter.Wait(ctx, id)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.t.Errorf("wait: %v", err)
	case r.State != hive.Completed:
		s.t.Errorf("task %s %s: %v", id, r.State, r.Failure)
	default:
		s.done.Add(1)
	}
}

// goesOn waits for more tasks to complete.
func (s *stream) goesOn(what string) {
	s.t.Helper()
	from := s.done.Load()
	await(s.t, "tasks going on "+what, func() (bool, error) { return s.done.Load() >= from+50, nil })
}

// TestPasswordsRotate: the passwords of nexus, spore and client change while tasks run,
// and no program begins anew.
func TestPasswordsRotate(t *testing.T) {
	t.Parallel()
	makeSkills(t)
	a := newACL(t, "--spore", "a")
	a.held = t.TempDir()
	users := []string{"nexus", "a", "client"}
	before := map[string]string{}
	for _, user := range users {
		a.hand(user)
		before[user] = a.password(user + ".password")
	}
	c := &cluster{T: t, road: a.as("admin", "admin.password")}
	c.publish()
	c.pub.RegisterGuest()
	a.ota = c.ota
	programs := []*process{a.start("nexus", "nexus", "serve"), a.start("a", "spore", "--name", "a", "--slots", "4")}
	c.awaitNode("a", "online with the guest", func(n *hive.Node) bool { return n.Online && n.Has(hive.SkillRef{Name: "guest"}) })

	o := a.opts
	o.Username, o.PasswordNow = "client", func() string {
		text, err := os.ReadFile(filepath.Join(a.held, "client.password"))
		if err != nil {
			t.Error(err)
		}
		return strings.TrimSpace(string(text))
	}
	tasks := newStream(t, testkit.DialTo(t, o))
	defer tasks.stop()
	tasks.goesOn("with the first passwords")
	a.make("--rotate", "nexus", "--rotate", "a", "--rotate", "client")
	tasks.goesOn("with passwords that Redis does not know yet")
	a.load()
	tasks.goesOn("with the first passwords still")
	for _, user := range users {
		a.hand(user)
	}
	a.make("--retire", "nexus", "--retire", "a", "--retire", "client")
	a.load()
	tasks.goesOn("with the new passwords")

	for _, user := range users {
		o := a.opts
		o.Username, o.Password = user, before[user]
		if _, err := broker.Dial(t.Context(), o); err == nil {
			t.Errorf("the old password of %s is good", user)
		}
	}
	for _, p := range programs {
		select {
		case <-p.done:
			t.Errorf("%s ended", p.name)
		default:
		}
	}
}
