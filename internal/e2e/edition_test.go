package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/nexus/ota"
)

// program reads a wasm file and makes it another program of the same behaviour, by a
// custom section that has a text.
func program(t *testing.T, path, text string) []byte {
	t.Helper()
	code, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return withText(code, text)
}

// withText adds a custom section "v" that has a text.
func withText(code []byte, text string) []byte {
	section := append([]byte{1, 'v'}, text...)
	code = append(slices.Clone(code), 0)
	for n := uint32(len(section)); ; n >>= 7 {
		if n < 0x80 {
			code = append(code, byte(n))
			break
		}
		code = append(code, byte(n)|0x80)
	}
	return append(code, section...)
}

// edition publishes a version of a bundle with these programs as its skills.
func (c *cluster) edition(name, version string, programs map[string][]byte, change ...func(*hive.Manifest)) *bundle.Bundle {
	c.Helper()
	b := &bundle.Bundle{Name: name, Version: version, Created: time.Now()}
	code := map[string][]byte{}
	for skill, program := range programs {
		s := testkit.Skill(skill, program, change...)
		s.Version = version
		b.Skills = append(b.Skills, s)
		code[s.Digest] = program
	}
	slices.SortFunc(b.Skills, func(a, b bundle.Skill) int { return strings.Compare(a.Name, b.Name) })
	listed, err := c.pub.Publish(b, func(digest string) ([]byte, error) { return code[digest], nil })
	if err != nil {
		c.Fatal(err)
	}
	return listed
}

// give has all spores run a bundle at once, as nexus skill register does.
func (c *cluster) give(b *bundle.Bundle) {
	c.Helper()
	if _, _, err := c.pub.Desk.Give(ota.Request{Bundle: b, Every: c.pub.Every}, time.Time{}, time.Now()); err != nil {
		c.Fatal(err)
	}
}

// does runs a command of nexus until it ends with a code, and returns what it said.
func (c *cluster) does(code int, args ...string) string {
	c.Helper()
	p := start(c.T, "", "nexus", append(args, "--config", c.config("[redis]\nurl = \""+c.url+"\""))...)
	p.ends(code)
	return p.out.String()
}

// rollOut begins a rollout by steps that a few tasks take on, and that no time
// does: the tests of other programs beside this one slow all versions alike.
func (c *cluster) rollOut(b *bundle.Bundle, steps string, more ...string) string {
	c.Helper()
	return c.does(0, append([]string{"rollout", "start", b.String(), "--steps", steps, "--min-tasks", "20", "--soak", "0s", "--slower", "1000", "--slack", "1m"}, more...)...)
}

// rollout is where the rollout of a bundle is.
func (c *cluster) rollout(name string) *ota.Rollout {
	c.Helper()
	plan, err := c.pub.Desk.Load()
	if err != nil || plan.Bundles[name].Rollout == nil {
		c.Fatalf("no rollout of %s: %v", name, err)
	}
	return plan.Bundles[name].Rollout
}

// awaitRollout waits until the rollout of a bundle is in a state, for a reason.
func (c *cluster) awaitRollout(name string, state ota.State, reason string) {
	c.Helper()
	await(c.T, name+" "+string(state)+" "+reason, func() (bool, error) {
		r := c.rollout(name)
		if r.Ended() && r.State != state {
			c.Fatalf("the rollout of %s is %s", name, r)
		}
		return r.State == state && r.Reason == reason, nil
	})
}

// bare starts a spore that need not have any skill yet.
func (c *cluster) bare(name, config string, args ...string) *process {
	c.Helper()
	return start(c.T, "", "spore", append([]string{"--redis", c.url, "--name", name, "--config", config}, args...)...)
}

// has reports whether a spore runs exactly one bundle, and offers all of its skills.
func has(n *hive.Node, b *bundle.Bundle) bool { return hasOnly(n, b) && offers(n, b) }

// hasOnly reports whether a spore runs exactly one bundle, and offers nothing else.
func hasOnly(n *hive.Node, b *bundle.Bundle) bool {
	run := hive.BundleID{Name: b.Name, Version: b.Version, Digest: b.Digest()}
	return slices.Equal(n.Bundles, []hive.BundleID{run}) && !slices.ContainsFunc(n.Skills, func(id hive.SkillID) bool {
		return !slices.ContainsFunc(b.Skills, func(s bundle.Skill) bool { return id == s.ID() })
	})
}

// offers reports whether a spore offers exactly the skills of a bundle.
func offers(n *hive.Node, b *bundle.Bundle) bool {
	return slices.EqualFunc(n.Skills, b.Skills, func(id hive.SkillID, s bundle.Skill) bool { return id == s.ID() })
}

// awaitAll waits until so many spores are online, and all of them have a bundle.
func (c *cluster) awaitAll(spores int, b *bundle.Bundle) {
	c.Helper()
	await(c.T, "all spores on "+b.String(), func() (bool, error) {
		nodes, err := c.road.Nodes(c.Context())
		online := 0
		for i := range nodes {
			if nodes[i].Online && has(&nodes[i], b) {
				online++
			}
		}
		return online == spores, err
	})
}

// precompile has the caches know guests of these texts, as after a first run: what a
// compiler takes is not what a test looks at.
func precompile(t *testing.T, texts ...string) (guests [][]byte) {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for _, text := range texts {
		guest := program(t, skills.guest, text)
		path := filepath.Join(dir, text+".wasm")
		if err := os.WriteFile(path, guest, 0o644); err != nil {
			t.Fatal(err)
		}
		guests, files = append(guests, guest), append(files, path)
	}
	if err := testkit.Precompile(filepath.Join(caches, "hive", "code"), files...); err != nil {
		t.Fatal(err)
	}
	return guests
}

// runs waits until a task of a skill has completed, and returns what ran.
func (c *cluster) runs(submitter *client.Client, skill string) hive.SkillID {
	c.Helper()
	r, err := submitter.Run(c.Context(), hive.Task{Skill: hive.SkillRef{Name: skill}, Payload: []byte("x")})
	if err != nil || r.State != hive.Completed || r.Failures != 0 || string(r.Result) != "x" {
		c.Fatalf("%s: %+v, %v", skill, r, err)
	}
	return r.Ran
}

// audited waits until the audit log has a record with all of these words in one line.
func (c *cluster) audited(action string, words ...string) {
	c.Helper()
	await(c.T, action+" with "+strings.Join(words, ", "), func() (bool, error) {
		for line := range strings.Lines(c.does(0, "audit", "list", "--action", action)) {
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
				return true, nil
			}
		}
		return false, nil
	})
}

// newAudited is newEmptyCluster with an audit log, and spores that look at the
// repository every second.
func newAudited(t *testing.T) *cluster {
	t.Helper()
	c := newEmptyCluster(t)
	c.log = filepath.Join(t.TempDir(), "log")
	c.ota += fmt.Sprintf("look = \"1s\"\n[audit]\ndir = %q\n", c.log)
	return c
}

// folder is a folder with a skill of version 1.0.0 that gives its payload back, and has
// a text.
func (c *cluster) folder(name, text string) string {
	c.Helper()
	dir := filepath.Join(c.TempDir(), name)
	settings := fmt.Sprintf("manifest_version = 1\nname = %q\nversion = \"1.0.0\"\n", name)
	err := os.Mkdir(dir, 0o755)
	err = errors.Join(err, os.WriteFile(filepath.Join(dir, "skill.toml"), []byte(settings), 0o644))
	err = errors.Join(err, os.WriteFile(filepath.Join(dir, name+".wasm"), program(c.T, skills.cat, text), 0o644))
	if err != nil {
		c.Fatal(err)
	}
	return dir
}
