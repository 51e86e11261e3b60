package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// acl is a server that speaks TLS and knows the users of a folder that nexus config
// acl made.
type acl struct {
	*testing.T
	dir, ca string
	held    string // where programs have their passwords; mostly dir
	opts    broker.Options
	ota     string // lines about a repository
}

func newACL(t *testing.T, args ...string) *acl {
	t.Helper()
	a := &acl{T: t, dir: t.TempDir()}
	a.make(args...)
	a.held = a.dir
	a.opts, a.ca = testkit.StartACL(t, filepath.Join(a.dir, "users.acl"))
	return a
}

func (a *acl) make(args ...string) {
	a.Helper()
	start(a.T, "", "nexus", append([]string{"config", "acl", "--out", a.dir}, args...)...).ends(0)
}

func (a *acl) password(file string) string {
	a.Helper()
	text, err := os.ReadFile(filepath.Join(a.dir, file))
	if err != nil {
		a.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// as dials as a user with the password in a file.
func (a *acl) as(user, file string) *broker.Broker {
	a.Helper()
	o := a.opts
	o.Username, o.Password = user, a.password(file)
	return testkit.DialTo(a.T, o)
}

// start runs a program as a user.
func (a *acl) start(user, program string, args ...string) *process {
	a.Helper()
	host, port, err := net.SplitHostPort(a.opts.Addrs[0])
	if err != nil {
		a.Fatal(err)
	}
	config := filepath.Join(a.TempDir(), "hive.toml")
	text := fmt.Sprintf("[redis]\nhost = %q\nport = %s\nca = %q\nusername = %q\npassword_file = %q\n",
		host, port, a.ca, user, filepath.Join(a.held, user+".password")) + a.ota
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		a.Fatal(err)
	}
	return start(a.T, "", program, append(args, "--config", config)...)
}

// TestACL: the real programs, each under its own user on a server that speaks TLS.
func TestACL(t *testing.T) {
	t.Parallel()
	makeSkills(t)
	a := newACL(t, "--spore", "a", "--spore", "b")
	c := &cluster{T: t, road: a.as("nexus", "nexus.password")}
	c.publish()
	c.pub.RegisterGuest()
	a.ota = c.ota
	a.start("nexus", "nexus", "serve")
	a.start("a", "spore", "--name", "a")
	c.awaitNode("a", "online with the guest", func(n *hive.Node) bool { return n.Online && n.Has(hive.SkillRef{Name: "guest"}) })

	says := func(user string, code int, want string, args ...string) {
		t.Helper()
		p := a.start(user, "nexus", args...)
		if p.ends(code); !strings.Contains(p.out.String(), want) {
			t.Errorf("%s as %s says %q, want %q", args, user, p.out.String(), want)
		}
	}
	says("client", 0, "slept", "submit", "guest", "--payload", "sleep 1ms", "--wait")
	keys := c.pub.Keys
	says("nexus", 0, "1 spore said ok", "broadcast", "PING", "--keys", keys)
	says("client", 0, " % of one core, ", "bench", "guest", "--tasks", "4")
	says("dashboard", 0, "online", "nodes")
	says("dashboard", 0, "completed", "tasks")
	says("client", 4, "user client may not run", "broadcast", "PING", "--keys", keys)
	says("dashboard", 4, "user dashboard may not enqueue: its ACL refuses", "submit", "guest")

	impostor := a.start("b", "spore", "--name", "a2")
	impostor.ends(4)
	if !strings.Contains(impostor.out.String(), "user b may not register: its ACL refuses") {
		t.Errorf("a spore under another name says %q", &impostor.out)
	}
}

// TestACLRotation: while a password changes, the old and the new one are good; what is
// not changed stays as it is.
func TestACLRotation(t *testing.T) {
	t.Parallel()
	a := newACL(t, "--spore", "a", "--spore", "b.b")
	before, other := a.password("a.password"), a.password("b.b.password")
	a.make("--rotate", "a")
	if old, now := a.password("a.previous"), a.password("a.password"); old != before || now == before {
		t.Errorf("the old password is kept: %v, there is a new one: %v", old == before, now != before)
	}
	a.make("--spore", "c")
	if a.password("b.b.password") != other {
		t.Error("the password of a user that is not changed is another one")
	}
	a.opts, a.ca = testkit.StartACL(t, filepath.Join(a.dir, "users.acl"))
	a.as("a", "a.previous")
	a.as("a", "a.password")
	a.as("b.b", "b.b.password")
	a.as("c", "c.password")

	a.make("--retire", "a")
	a.opts, a.ca = testkit.StartACL(t, filepath.Join(a.dir, "users.acl"))
	a.as("a", "a.password")
	o := a.opts
	o.Username, o.Password = "a", before
	if _, err := broker.Dial(t.Context(), o); err == nil {
		t.Error("a retired password is good")
	}
	files, err := os.ReadDir(a.dir)
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: mode %v, %v, want 0600", file.Name(), info.Mode(), err)
		}
	}
	if len(files) != 8 || err != nil { // four roles, three spores, the rules
		t.Errorf("%d files, %v", len(files), err)
	}
}
