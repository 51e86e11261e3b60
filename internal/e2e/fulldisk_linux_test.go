package e2e

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/client"
)

// disk is a small one, mounted at a folder.
type disk struct {
	t   *testing.T
	dir string
}

// mount puts a small disk in the place of a folder, with what is in that. Without the
// right to do so it says that, and returns nil.
func mount(t *testing.T, dir, size string) *disk {
	t.Helper()
	copied := t.TempDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		t.Logf("NOT SHOWN: no disk to fill, which needs the right to mount one: %v", err)
		return nil
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	if err := os.CopyFS(dir, os.DirFS(copied)); err != nil {
		t.Fatal(err)
	}
	return &disk{t, dir}
}

func (d *disk) filler() string { return filepath.Join(d.dir, "filler") }

// fill leaves no space on it.
func (d *disk) fill() {
	d.t.Helper()
	if err := os.WriteFile(d.filler(), make([]byte, 64<<20), 0o600); err == nil {
		d.t.Fatalf("%s is larger than 64 MiB", d.dir)
	}
}

// page is what a filler is shortened by.
const page = 4 << 10

// spare takes so many pages off the filler.
func (d *disk) spare(pages int64) {
	d.t.Helper()
	info, err := os.Stat(d.filler())
	if err == nil {
		err = os.Truncate(d.filler(), info.Size()-pages*page)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) free() {
	d.t.Helper()
	if err := os.Remove(d.filler()); err != nil {
		d.t.Fatal(err)
	}
}

// TestSporeWithAFullDisk: a spore without space goes on with what it has under load, says
// so, and updates by itself when there is space again.
func TestSporeWithAFullDisk(t *testing.T) {
	c := newAudited(t)
	state := filepath.Join(filepath.Dir(c.pub.Keys), "state")
	small := mount(t, state, "1m")
	if small == nil {
		return
	}
	c.nexus("n1")
	one := c.edition("crow", "1.0.0", map[string][]byte{"crow": program(t, skills.cat, "1")})
	c.give(one)
	c.bare("a", c.config(""))
	c.awaitAll(1, one)
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	load := c.load(20*time.Millisecond, hive.Task{Skill: hive.SkillRef{Name: "crow"}}, func(n int) string { return fmt.Sprint(n) })
	load.await(20)
	small.fill()
	load.await(20)
	two := c.edition("crow", "2.0.0", map[string][]byte{"crow": program(t, skills.cat, rand.Text()+strings.Repeat("2", 300<<10))})
	c.give(two)
	c.audited("bundle.refuse", "spore/a", "no_space")
	c.awaitAll(1, one)
	if ran := c.runs(submitter, "crow"); ran != one.Skills[0].ID() {
		t.Errorf("%v ran, want %v", ran, one.Skills[0].ID())
	}
	load.await(20)
	small.free()
	c.awaitAll(1, two)
	load.await(20)
	for _, s := range load.stop() {
		if s.err != nil || s.record.State != hive.Completed || s.record.Attempts != 1 {
			t.Errorf("task %s: %v, %+v", s.payload, s.err, s.record)
		}
	}
	if ran := c.runs(submitter, "crow"); ran != two.Skills[0].ID() {
		t.Errorf("%v ran, want %v", ran, two.Skills[0].ID())
	}
	c.audited("bundle.install", "spore/a", "crow@2.0.0", "ok")
}

// TestNexusWithAFullDisk: without space for the repository a publisher is told so in one
// line, and nothing is there by half, wherever the space ends; the nexus leads and
// routes, and all goes on when there is space.
func TestNexusWithAFullDisk(t *testing.T) {
	c := newAudited(t)
	repo := mount(t, c.pub.Dir, "1m")
	if repo == nil {
		return
	}
	c.nexus("n1")
	one := c.edition("crow", "1.0.0", map[string][]byte{"crow": program(t, skills.cat, "1")})
	c.give(one)
	c.bare("a", c.config(""))
	c.awaitAll(1, one)
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	leader, err := c.leader()
	if err != nil {
		t.Fatal(err)
	}
	repo.fill()
	skill := c.folder("jay", "jay")
	var ends []string
	for listed := 1; ; repo.spare(1) {
		p := start(t, "", "nexus", "skill", "register", skill, "--config", c.config("[redis]\nurl = \""+c.url+"\""))
		<-p.done
		ran := c.runs(submitter, "crow")
		if now, err := c.leader(); err != nil || now != leader || ran != one.Skills[0].ID() {
			t.Errorf("%q leads, %v, and %v ran; want %q", now, err, ran, leader)
		}
		now := c.whole()
		if now < listed || now > 2 {
			t.Errorf("%d bundles are listed, want %d or one more", now, listed)
		}
		if listed = now; p.cmd.ProcessState.Success() {
			break
		}
		_, said, _ := strings.Cut(p.out.String(), "\n")        // the first line is about grants
		unsigned := strings.Contains(said, "is published in ") // there was space for that, and none for the nexus
		if strings.Count(said, "\n") != 1 || !unsigned && !strings.HasSuffix(said, " cannot be written: the disk is full\n") {
			t.Errorf("without space register says %q", said)
		}
		ends = append(ends, said)
	}
	if len(ends) == 0 {
		t.Error("there was space")
	}
	t.Logf("without space register says\n%s", strings.Join(slices.Compact(ends), ""))
	c.awaitNode("a", "with the jay", func(n *hive.Node) bool {
		return n.Has(hive.SkillRef{Name: "jay"}) && n.Has(hive.SkillRef{Name: "crow"})
	})
	c.runs(submitter, "jay")
}

// whole checks that a new client of the repository gets all that is listed in it, and
// returns how many bundles that is.
func (c *cluster) whole() int {
	c.Helper()
	all, err := bundle.NewClient(c.pub.Client(c.T))
	if err != nil {
		c.Fatal(err)
	}
	defer all.Close()
	if _, err := all.Refresh(c.Context()); err != nil {
		c.Fatal(err)
	}
	list, err := all.Bundles()
	if err != nil {
		c.Fatal(err)
	}
	for _, l := range list {
		b, err := all.Bundle(c.Context(), l.Name, l.Version)
		if err != nil {
			c.Fatal(err)
		}
		for _, s := range b.Skills {
			if _, err := all.Blob(c.Context(), s.Digest, s.Size); err != nil {
				c.Error(err)
			}
		}
	}
	return len(list)
}

// TestAuditLogOnAFullDisk: a nexus whose log has no space leads and routes, and what
// happened meanwhile is in the log when there is space again.
func TestAuditLogOnAFullDisk(t *testing.T) {
	c := newAudited(t)
	log := mount(t, c.log, "256k")
	if log == nil {
		return
	}
	n := c.nexus("n1")
	one := c.edition("crow", "1.0.0", map[string][]byte{"crow": program(t, skills.cat, "1")})
	c.give(one)
	c.bare("a", c.config(""))
	c.awaitAll(1, one)
	c.audited("bundle.install", "crow@1.0.0")
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	log.fill()
	two := c.edition("crow", "2.0.0", map[string][]byte{"crow": program(t, skills.cat, "2")})
	// The block that the log ends in takes some more records.
	for next, other := two, one; !strings.Contains(n.out.String(), "audit log: cannot "); next, other = other, next {
		c.give(next)
		c.awaitAll(1, next)
		if ran := c.runs(submitter, "crow"); ran != next.Skills[0].ID() {
			t.Errorf("%v ran, want %v", ran, next.Skills[0].ID())
		}
	}
	c.give(one)
	c.awaitAll(1, one)
	last := c.edition("crow", "3.0.0", map[string][]byte{"crow": program(t, skills.cat, "3")})
	c.give(last)
	c.awaitAll(1, last)
	if said := n.out.String(); !strings.Contains(said, "no space left on device") && !strings.Contains(said, "the disk is full") {
		t.Errorf("the nexus says %s", said)
	}
	log.free()
	c.audited("bundle.install", "crow@3.0.0", "ok")
	c.does(0, "audit", "verify")
}
