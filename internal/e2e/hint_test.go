package e2e

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// A command that waits says what somebody must do, each thing once.
func TestWaitingSaysWhatIsMissing(t *testing.T) {
	const (
		noNexus = "nexus: hint: no nexus leads this hive; start one with \"nexus serve\"\n"
		noSpore = "nexus: hint: no spore is online; start one with \"spore\"\n"
		noTag   = "nexus: hint: no spore has zone=eu; the tasks wait for one that can run them\n"
	)
	c := newCluster(t)
	before := c.nexus("n0")
	if err := c.road.AwaitSkill(t.Context(), c.guest.ID()); err != nil {
		t.Fatal(err)
	}
	before.signal(syscall.SIGTERM)
	before.ends(0)
	run := start(t, "echo x\n", "nexus", "run", "guest", "--each", "line", "-", "--require", "zone=eu", "--redis", c.url)
	submit := start(t, "", "nexus", "submit", "guest", "--payload", "echo y", "--require", "zone=eu", "--wait", "--redis", c.url)
	says := func(p *process, text string) {
		await(t, text, func() (bool, error) { return strings.Contains(p.out.String(), text), nil })
	}
	says(run, noNexus)
	says(submit, noNexus)
	c.nexus("n1")
	says(run, noSpore)
	says(submit, noSpore)
	c.spore("us-1", "--tags", "zone=us")
	says(run, noTag)
	says(submit, noTag)
	c.spore("eu-1", "--tags", "zone=eu")
	run.ends(0)
	submit.ends(0)
	want := noNexus + noSpore + noTag
	// A spore may be seen before it has prepared the skill.
	preparing := regexp.MustCompile("nexus: hint: no spore has zone=eu; no spore has the skill [^;]+; .*\n")
	if said := preparing.ReplaceAllString(run.out.String(), ""); !strings.HasPrefix(said, want+"INPUT  RESULT\n-:1    x\ncompleted 1/1, failed 0, ") {
		t.Errorf("nexus run says %q", said)
	}
	if said := preparing.ReplaceAllString(submit.out.String(), ""); said != want+"y" {
		t.Errorf("nexus submit says %q", said)
	}
}

func TestEmbeddedRunSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	makeSkills(t)
	run := start(t, "x", "nexus", "run", skills.cat, "-", "--require", "zone=mars")
	await(t, "the hint", func() (bool, error) {
		return run.out.String() == "nexus: hint: no spore has zone=mars; the tasks wait for one that can run them\n", nil
	})
}
