package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hive-spore/hive/bundle"
)

// TestKeysRotate: all keys of a hive change while tasks run, and no program begins anew.
// What is signed with the old ones counts for nothing afterwards.
func TestKeysRotate(t *testing.T) {
	c := newCommander(t)
	stolen := filepath.Join(t.TempDir(), "stolen")
	start(t, "", "cp", "-a", c.pub.Keys, stolen).ends(0)
	first := c.pub.Keep.Nexus.ID()
	a := c.spore("a", "--slots", "4")
	tasks := newStream(t, c.road)
	defer tasks.stop()
	tasks.goesOn("with the first keys")

	keys := func(args ...string) {
		t.Helper()
		start(t, "", "nexus", append([]string{"keys", "rotate", "--repo", c.pub.Dir, "--keys", c.pub.Keys}, args...)...).ends(0)
	}
	for _, role := range []string{bundle.RoleNexus, bundle.RoleTimestamp, bundle.RoleSnapshot} {
		keys("--role", role)
	}
	c.obeys("a", c.pub.Keys) // the spore comes to know the new keys by the nexus' hint
	c.says(0, "PING --keys "+stolen, "1 spore said ok")
	keys("--finish")
	await(t, "the old nexus key to be good no more", func() (bool, error) {
		p := start(t, "", "nexus", "broadcast", "PING", "--redis", c.url, "--keys", stolen)
		<-p.done
		return strings.Contains(p.out.String(), "no_answer"), nil
	})
	c.says(0, "PING", "1 spore said ok")
	tasks.goesOn("with other online keys")

	keys("--role", bundle.RoleRoot)
	keys("--role", bundle.RoleTargets)
	keys("--finish")
	c.gives("next", c.pub.Keys, 0)
	c.gives("forged", stolen, 1)
	tasks.goesOn("with other keys of all roles")

	if now := must(bundle.LoadKeys(c.pub.Keys, bundle.RoleNexus, ""))[0].ID(); now == first {
		t.Error("the nexus key is the same")
	}
	select {
	case <-a.done:
		t.Error("the spore ended")
	default:
	}
}

// obeys waits until a spore answers a command that is signed with the nexus key of a
// directory.
func (c *commander) obeys(name, keys string) {
	c.Helper()
	await(c.T, "spore "+name+" obeying the key in "+keys, func() (bool, error) {
		p := start(c.T, "", "nexus", "broadcast", "PING", "--to", name, "--redis", c.url, "--keys", keys)
		<-p.done
		return p.cmd.ProcessState.ExitCode() == 0, nil
	})
}

// gives registers a skill with the publisher's keys of a directory; with exit code 0
// the spores come to run it.
func (c *commander) gives(name, keys string, code int) {
	c.Helper()
	program := filepath.Join(c.TempDir(), name+".wasm")
	if err := os.WriteFile(program, must(os.ReadFile(skills.cat)), 0o644); err != nil {
		c.Fatal(err)
	}
	start(c.T, "", "nexus", "skill", "register", program, "--redis", c.url, "--repo", c.pub.Dir, "--keys", keys).ends(code)
	if code != 0 {
		return
	}
	p := start(c.T, "", "nexus", "submit", name, "--payload", "still here", "--wait", "--redis", c.url)
	if p.ends(0); !strings.Contains(p.out.String(), "still here") {
		c.Errorf("%s says %q", name, &p.out)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
