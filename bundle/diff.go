package bundle

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/manifest"
)

// Side is what a person is shown of a skill in one of two bundles.
type Side struct {
	Version string         `json:"version"`
	Digest  string         `json:"digest"`
	Size    int64          `json:"size"`   // of the program in bytes
	Input   string         `json:"input"`  // the schema of payloads in one line, see manifest.Shape
	Output  string         `json:"output"` // the schema of results
	Grants  []manifest.Ask `json:"grants,omitempty"`
}

// Change is what becomes of one skill.
type Change struct {
	Name   string `json:"name"`
	Before *Side  `json:"before,omitempty"` // nil: it is new
	After  *Side  `json:"after,omitempty"`  // nil: it is gone
	// Differs names the parts of the skill that are not the same, as they are spelled
	// in the bundle: "digest", "input", "limits".
	Differs []string `json:"differs,omitempty"`
	// Wider is what it may do afterwards and may not before; Narrower the reverse.
	Wider    []manifest.Widening `json:"wider,omitempty"`
	Narrower []manifest.Widening `json:"narrower,omitempty"`
}

// Changes are in the order of names.
type Changes []Change

// Wider reports whether any skill may do what it may not before. A new skill may do
// nothing before.
func (c Changes) Wider() bool {
	return slices.ContainsFunc(c, func(one Change) bool { return len(one.Wider) > 0 })
}

// Diff returns what a hive that ran before and is to run after would see change. Of a
// skill that is in a bundle in several versions, the highest of both are compared, then
// the next ones.
func Diff(before, after *Bundle) (changes Changes) {
	olds, news := byName(before), byName(after)
	names := maps.Clone(olds)
	maps.Copy(names, news)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		old, next := apart(olds[name], news[name])
		for i := range max(len(old), len(next)) {
			changes = append(changes, compare(name, at(old, i), at(next, i)))
		}
	}
	return changes
}

// byName groups a bundle's skills, the highest version first.
func byName(b *Bundle) map[string][]*Skill {
	groups := map[string][]*Skill{}
	for i := range b.Skills {
		s := &b.Skills[i]
		groups[s.Name] = append(groups[s.Name], s)
	}
	for _, group := range groups {
		slices.SortFunc(group, func(a, b *Skill) int { return hive.CompareVersions(b.Version, a.Version) })
	}
	return groups
}

// apart leaves out the skills that are in both, the same in all.
func apart(old, next []*Skill) (gone, come []*Skill) {
	in := func(list []*Skill) func(*Skill) bool {
		return func(s *Skill) bool {
			return slices.ContainsFunc(list, func(other *Skill) bool { return len(differing(s, other)) == 0 })
		}
	}
	return slices.DeleteFunc(slices.Clone(old), in(next)), slices.DeleteFunc(slices.Clone(next), in(old))
}

func at(list []*Skill, i int) *Skill {
	if i < len(list) {
		return list[i]
	}
	return nil
}

func compare(name string, old, next *Skill) Change {
	c := Change{Name: name, Before: side(old), After: side(next)}
	switch {
	case old == nil:
		c.Wider = manifest.Widened(&hive.Manifest{}, &next.Manifest)
	case next != nil:
		c.Differs = differing(old, next)
		c.Wider = manifest.Widened(&old.Manifest, &next.Manifest)
		c.Narrower = manifest.Widened(&next.Manifest, &old.Manifest)
	}
	return c
}

func side(s *Skill) *Side {
	if s == nil {
		return nil
	}
	return &Side{s.Version, s.Digest, s.Size, manifest.Shape(s.Input), manifest.Shape(s.Output), manifest.Asks(&s.Manifest)}
}

// differing names the parts of two skills that are not the same.
func differing(a, b *Skill) (names []string) {
	as, bs := parts(a), parts(b)
	all := maps.Clone(as)
	maps.Copy(all, bs)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !bytes.Equal(as[name], bs[name]) {
			names = append(names, name)
		}
	}
	return names
}

// parts are a skill's members as they are spelled in a bundle. A skill of a valid
// bundle has them.
func parts(s *Skill) (members map[string]json.RawMessage) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	if data, err = canonical("skill", data); err != nil || json.Unmarshal(data, &members) != nil {
		return nil
	}
	return members
}
