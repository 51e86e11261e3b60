package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// process is a program that a test started.
type process struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	out  testkit.Output
	done chan struct{} // closed when it has ended
}

// start runs a program until the test ends, or it does. What it said is shown if
// the test fails.
func start(t *testing.T, stdin, program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: program + " " + strings.Join(args, " "), cmd: exec.Command(program, args...), done: make(chan struct{})}
	p.cmd.Env = slices.Concat(environment(), []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + os.TempDir()})
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = strings.NewReader(stdin), &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.done
		if strings.Contains(p.out.String(), "DATA RACE") {
			t.Errorf("%s: a data race", p.name)
		}
		if t.Failed() {
			t.Logf("%s: %v\n%s", p.name, p.cmd.ProcessState, &p.out)
		}
	})
	return p
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v to %s: %v", s, p.name, err)
	}
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	<-p.done
}

// ends waits until the process has ended, with this exit code.
func (p *process) ends(code int) {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("%s does not end", p.name)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Errorf("%s: exit code %d, want %d", p.name, got, code)
	}
}

// says waits until a program has said something.
func (p *process) says(text string) {
	p.t.Helper()
	await(p.t, p.name+" saying "+text, func() (bool, error) { return strings.Contains(p.out.String(), text), nil })
}

// await polls until a condition holds. An error says what it is still like.
func await(t *testing.T, what string, holds func() (bool, error)) {
	t.Helper()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	giveUp := time.After(patience)
	for {
		ok, err := holds()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-giveUp:
			t.Fatalf("waited in vain for %s (%v)", what, err)
		case <-t.Context().Done():
			t.Fatalf("waited in vain for %s: %v", what, context.Cause(t.Context()))
		}
	}
}

// cluster is a redis-server and what the test needs to look at it.
type cluster struct {
	*testing.T
	road *broker.Broker
	url  string
	at   string // a line of a hive.toml that says where Redis is, if the url does not
	pub  *testkit.Publisher
	ota  string // lines of a hive.toml about its repository
	log  string // the folder of its audit log, if it has one

	guest hive.Skill // if it is registered
}

// publish makes the cluster's repository.
func (c *cluster) publish() {
	c.Helper()
	c.pub = testkit.NewPublisher(c.T)
	c.ota = otaConfig(filepath.Dir(c.pub.Keys))
}

// config writes a hive.toml with these lines and those about the repository.
func (c *cluster) config(lines string) string {
	c.Helper()
	path := filepath.Join(c.TempDir(), "hive.toml")
	if err := os.WriteFile(path, []byte(lines+"\n"+c.at+c.ota), 0o644); err != nil {
		c.Fatal(err)
	}
	return path
}

// where are the flags by which a program finds the road that its hive.toml does not name.
func (c *cluster) where() []string {
	if c.at != "" {
		return nil
	}
	return []string{"--redis", c.url}
}

// newCluster starts a redis-server that has the guest registered.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := newEmptyCluster(t)
	c.guest = c.pub.RegisterGuest()
	return c
}

// newEmptyCluster starts a redis-server.
func newEmptyCluster(t *testing.T) *cluster {
	t.Helper()
	c, _ := newServed(t)
	return c
}

// newServed is newEmptyCluster for who does something to the server.
func newServed(t *testing.T) (*cluster, *testkit.Redis) {
	t.Helper()
	t.Parallel()
	makeSkills(t)
	server, err := testkit.StartRedis()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	c := &cluster{T: t, url: "unix://" + server.Addr}
	c.road = testkit.DialTo(t, broker.Options{Addrs: []string{server.Addr}})
	c.publish()
	return c, server
}

func (c *cluster) nexus(name string) *process {
	c.Helper()
	return start(c.T, "", "nexus", append(c.where(), "serve", "--config", c.config("nexus = { name = \""+name+"\" }"))...)
}

// leader is the name of the nexus that leads, or "".
func (c *cluster) leader() (string, error) {
	id, err := c.road.Leader(c.Context())
	name, _, _ := strings.Cut(id, "/")
	return name, err
}

// spore starts a spore and waits until it offers the guest.
func (c *cluster) spore(name string, args ...string) *process {
	c.Helper()
	p := start(c.T, "", "spore", slices.Concat(c.where(), []string{"--name", name, "--config", c.config("")}, args)...)
	c.awaitNode(name, "online with the guest", func(n *hive.Node) bool { return n.Online && n.Has(hive.SkillRef{Name: "guest"}) })
	return p
}

func (c *cluster) awaitNode(name, what string, is func(*hive.Node) bool) {
	c.Helper()
	await(c.T, "spore "+name+" being "+what, func() (bool, error) {
		nodes, err := c.road.Nodes(c.Context())
		for i := range nodes {
			if nodes[i].ID == name && is(&nodes[i]) {
				return true, nil
			}
		}
		return false, err
	})
}

// awaitTask waits until a task is as asked for, and returns its record.
func (c *cluster) awaitTask(id, what string, is func(*hive.Record) bool) (r *hive.Record) {
	c.Helper()
	await(c.T, "task "+id+" being "+what, func() (ok bool, err error) {
		r, err = c.road.Status(c.Context(), id)
		return err == nil && is(r), err
	})
	return r
}

func running(r *hive.Record) bool { return r.State == hive.Running }
func final(r *hive.Record) bool   { return r.State.Final() }

// awaitIdle waits until nothing is held by any spore, and compares the counters.
func (c *cluster) awaitIdle(want hive.Stats) {
	c.Helper()
	await(c.T, "an idle cluster", func() (bool, error) {
		active, err := c.road.Active(c.Context())
		return err == nil && len(active) == 0, err
	})
	got, err := c.road.Stats(c.Context())
	if err != nil || got != want {
		c.Errorf("stats are %+v, %v, want %+v", got, err, want)
	}
}

// register has the cluster's spores run a program.
func (c *cluster) register(name, path string, change ...func(*hive.Manifest)) hive.SkillRef {
	c.Helper()
	program, err := os.ReadFile(path)
	if err != nil {
		c.Fatal(err)
	}
	c.pub.Register(name, program, change...)
	return hive.SkillRef{Name: name}
}

func guest(payload string) hive.Task {
	return hive.Task{Skill: hive.SkillRef{Name: "guest"}, Payload: []byte(payload)}
}
