package publisher_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/publisher"
)

func skill(name, version string) *hive.Skill {
	return &hive.Skill{Manifest: hive.Manifest{Name: name, Version: version}, Digest: digest, Size: 4}
}

// digest is that of "\x00asm".
const digest = "sha256:cd5d4935a48c0672cb06407bb443bc0087aff947c6b864bac886982c73b3027f"

var program = []byte("\x00asm")

func make1(t *testing.T) (*publisher.Publisher, *[]string) {
	t.Helper()
	p, keep, err := publisher.Make(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Allows(keep.Nexus); err != nil {
		t.Error(err)
	}
	stranger, err := bundle.NewKey(bundle.RoleNexus)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Allows(stranger); err == nil || !strings.Contains(err.Error(), "no spore would listen") {
		t.Errorf("Allows a stranger: %v", err)
	}
	var told []string
	p.Audit = func(e audit.Entry) { told = append(told, fmt.Sprint(e.Action, " ", e.Subject, " ", e.Outcome)) }
	return p, &told
}

// The same again is the same bundle, whenever it is made; anything else needs another
// version.
func TestRegister(t *testing.T) {
	t.Parallel()
	p, told := make1(t)
	first, err := p.Publish(&bundle.Bundle{Name: "crow", Version: "1.0.0", Created: time.Now().Add(-time.Hour), Skills: []bundle.Skill{*skill("crow", "1.0.0")}},
		func(string) ([]byte, error) { return program, nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Register("crow", skill("crow", "1.0.0"), program, time.Time{}); err != nil {
		t.Fatal(err)
	}
	again, err := p.Register("crow", skill("crow", "1.0.0"), program, time.Time{})
	if err != nil || again.Digest() != first.Digest() {
		t.Errorf("the same again is %v, %v", again, err)
	}
	other := skill("crow", "1.0.0")
	other.Grants = []hive.Grant{hive.GrantKV}
	if _, err := p.Register("crow", other, program, time.Time{}); err == nil || !strings.Contains(err.Error(), "raise the version") {
		t.Errorf("another manifest: %v", err)
	}
	if _, err := p.Register("crow", skill("crow", "1.1.0"), program, time.Time{}); err != nil {
		t.Error(err)
	}
	p.Every = time.Hour // nothing is left of what comes too early
	if _, err := p.Register("crow", skill("crow", "1.2.0"), program, time.Time{}); err == nil {
		t.Error("a second update within the hour is taken")
	}
	if list, err := p.Repository.Bundles(); err != nil || len(list) != 2 {
		t.Errorf("%v is listed, %v", list, err)
	}
	want := "bundle.publish crow@1.0.0 ok, rollout.give crow@1.0.0 ok, rollout.give crow@1.0.0 ok, bundle.publish crow@1.0.0 refused, bundle.publish crow@1.1.0 ok, rollout.give crow@1.1.0 ok, rollout.give crow@1.2.0 refused"
	if got := strings.Join(*told, ", "); got != want {
		t.Errorf("told %s\nwant %s", got, want)
	}
}

// A draft takes the place of the one before; the list does not grow for ever.
func TestSwap(t *testing.T) {
	t.Parallel()
	p, _ := make1(t)
	before := ""
	for i := range 3 {
		name := publisher.Draft(fmt.Sprint(i))
		if err := p.Swap(before, name, skill("crow", "1.0.0-watch"), program); err != nil {
			t.Fatal(err)
		}
		before = name
		plan, err := p.Desk.Load()
		if err != nil || len(plan.Bundles) != 1 || plan.Bundles[name].Current == nil {
			t.Errorf("the plan is %+v, %v", plan, err)
		}
	}
	for i := range 20 { // of others, long ago
		b := &bundle.Bundle{Name: publisher.Draft(fmt.Sprint("old", i)), Version: "1.0.0-watch", Created: time.Now().Add(-2 * time.Hour), Skills: []bundle.Skill{*skill("crow", "1.0.0-watch")}}
		if _, err := p.Publish(b, func(string) ([]byte, error) { return program, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Swap(before, publisher.Draft("last"), skill("crow", "1.0.0-watch"), program); err != nil {
		t.Fatal(err)
	}
	if list, err := p.Repository.Bundles(); err != nil || len(list) != 4 {
		t.Errorf("%d bundles are listed, %v, want the 4 of this hour", len(list), err)
	}
}
