package spore

import (
	"fmt"
	"reflect"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
)

// installed is a set of bundles that was verified and is whole on disk. It does not
// change: another one takes its place.
type installed struct {
	bundles []*bundle.Bundle
	runs    []bundle.Run     // of the bundles, in their order
	skills  []hive.Skill     // in the order of hive.SortSkills
	sizes   map[string]int64 // of programs in bytes, by digest; also of the set before
}

// newInstalled puts bundles together. Two of them may have the same skill, but not
// other ones under the same name and version.
func newInstalled(bundles []*bundle.Bundle) (*installed, error) {
	in := &installed{bundles: bundles, sizes: map[string]int64{}}
	seen, of := map[hive.SkillRef]*hive.Skill{}, map[hive.SkillRef]*bundle.Bundle{}
	for _, b := range bundles {
		in.runs = append(in.runs, runOf(b))
		for i := range b.Skills {
			s := &b.Skills[i]
			ref := hive.SkillRef{Name: s.Name, Pin: s.Version}
			switch known := seen[ref]; {
			case known == nil:
				seen[ref], of[ref], in.sizes[s.Digest] = s, b, s.Size
				in.skills = append(in.skills, *s)
			case !reflect.DeepEqual(known, s):
				return nil, refusal(bundle.ReasonMismatch, b.String(), &conflict{ref, [2]string{of[ref].Name, b.Name}})
			}
		}
	}
	hive.SortSkills(in.skills)
	return in, nil
}

// conflict says that two bundles cannot be here together.
type conflict struct {
	skill   hive.SkillRef
	bundles [2]string
}

func (c *conflict) Error() string {
	return fmt.Sprintf("%s has another skill as %s", c.bundles[0], c.skill)
}

func runOf(b *bundle.Bundle) bundle.Run {
	return bundle.Run{Bundle: b.Name, Ref: bundle.Ref{Version: b.Version, Digest: b.Digest()}}
}

// lines are the bundles by name.
func (in *installed) lines() map[string][]*bundle.Bundle {
	lines := map[string][]*bundle.Bundle{}
	for _, b := range in.bundles {
		lines[b.Name] = append(lines[b.Name], b)
	}
	return lines
}
