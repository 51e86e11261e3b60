package bundle

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

// lines puts changes as a person would read them, one line each.
func lines(changes Changes) (said []string) {
	version := func(s *Side) string {
		if s == nil {
			return "none"
		}
		return fmt.Sprintf("%s of %d", s.Version, s.Size)
	}
	for _, c := range changes {
		line := fmt.Sprintf("%s: %s -> %s", c.Name, version(c.Before), version(c.After))
		if len(c.Differs) > 0 {
			line += " differs " + strings.Join(c.Differs, " ")
		}
		for _, w := range c.Wider {
			line += ", may " + w.String()
		}
		for _, w := range c.Narrower {
			line += ", may no longer " + w.String()
		}
		said = append(said, line)
	}
	return said
}

func TestDiff(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		mutate func(*Bundle)
		want   []string
		wider  bool
	}{
		{"nothing", func(b *Bundle) {}, nil, false},
		{"another order", func(b *Bundle) { slices.Reverse(b.Skills) }, nil, false},
		{"its own name", func(b *Bundle) { b.Name, b.Version, b.Description = "x", "9.0.0", "" }, nil, false},
		{"a skill more", func(b *Bundle) {
			b.Skills = append(b.Skills, Skill{Manifest: hive.Manifest{Name: "a", Version: "1.0.0", Grants: []hive.Grant{hive.GrantLog}}, Size: 3})
		}, []string{"a: none -> 1.0.0 of 3, may log (lines in the log of its tasks)"}, true},
		{"a skill more that may nothing", func(b *Bundle) {
			b.Skills = append(b.Skills, Skill{Manifest: hive.Manifest{Name: "a", Version: "1.0.0"}, Size: 3})
		}, []string{"a: none -> 1.0.0 of 3"}, false},
		{"skills less", func(b *Bundle) { b.Skills = b.Skills[1:2] },
			[]string{"count: 1.0.0 of 16 -> none", "count: 1.0.0-rc.1 of 16 -> none"}, false},
		{"a version", func(b *Bundle) { b.Skills[0].Version = "1.0.1" }, []string{"count: 1.0.0 of 16 -> 1.0.1 of 16 differs version"}, false},
		{"a version more", func(b *Bundle) {
			b.Skills = append(b.Skills, Skill{Manifest: hive.Manifest{Name: "count", Version: "1.1.0"}, Size: 3})
		}, []string{"count: none -> 1.1.0 of 3"}, false},
		{"versions, the highest first", func(b *Bundle) { b.Skills[0].Version, b.Skills[2].Version = "2.0.0-rc.1", "2.0.0" },
			[]string{"count: 1.0.0 of 16 -> 2.0.0 of 16 differs version", "count: 1.0.0-rc.1 of 16 -> 2.0.0-rc.1 of 16 differs version"}, false},
		{"a program", func(b *Bundle) { b.Skills[1].Digest, b.Skills[1].Size = digested(nil), 17 },
			[]string{"scan: 2.1.0 of 16 -> 2.1.0 of 17 differs digest size"}, false},
		{"parts", func(b *Bundle) { s := &b.Skills[1]; s.Output, s.Limits.Memory, s.Args = s.Input, 1<<20, nil },
			[]string{"scan: 2.1.0 of 16 -> 2.1.0 of 16 differs args limits output"}, false},
		{"a schema, otherwise spelled", func(b *Bundle) {
			b.Skills[1].Input = []byte(" " + strings.Replace(string(b.Skills[1].Input), `"type":"object",`, "", 1)[:1] + `"type": "object",` +
				strings.Replace(string(b.Skills[1].Input), `"type":"object",`, "", 1)[1:])
		}, nil, false},
		{"grants", func(b *Bundle) {
			s := &b.Skills[1]
			s.Grants, s.Allow = []hive.Grant{hive.GrantHTTP, hive.GrantKV}, hive.Allow{HTTP: []string{"example.com", "example.org"}}
		}, []string{"scan: 2.1.0 of 16 -> 2.1.0 of 16 differs allow grants, may http also for example.org, may kv (own keys), may no longer log (lines in the log of its tasks)"}, true},
		{"a grant less", func(b *Bundle) { b.Skills[1].Grants = b.Skills[1].Grants[1:] },
			[]string{"scan: 2.1.0 of 16 -> 2.1.0 of 16 differs grants, may no longer log (lines in the log of its tasks)"}, false},
	}
	for _, tt := range tests {
		next := sample()
		tt.mutate(next)
		changes := Diff(sample(), next)
		if got := lines(changes); !slices.Equal(got, tt.want) {
			t.Errorf("%s: Diff() = %q\nwant %q", tt.name, got, tt.want)
		}
		if changes.Wider() != tt.wider {
			t.Errorf("%s: Wider() = %v, want %v", tt.name, !tt.wider, tt.wider)
		}
	}
}

// A side shows what the skill takes and what it may.
func TestDiffShowsSides(t *testing.T) {
	t.Parallel()
	next := sample()
	next.Skills[1].Version = "2.2.0"
	changes := Diff(sample(), next)
	if len(changes) != 1 {
		t.Fatalf("Diff() = %q, want one change", lines(changes))
	}
	side := changes[0].After
	if side.Input != "object {text: anything, weight?: anything}" || side.Output != "no" || len(side.Grants) != 2 {
		t.Errorf("Diff() shows %+v", side)
	}
}
