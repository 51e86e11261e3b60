package hive

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func seenSkill(n int) SkillSeen {
	s := SkillSeen{SkillID: SkillID{Name: "echo", Version: fmt.Sprintf("1.%d.0", n), Digest: "sha256:" + strings.Repeat("a", 64)}, Completed: 8, Failed: 2, Trapped: 1}
	s.Took[3], s.Took[127] = 9, 1
	return s
}

func seenOf(n int) *Seen {
	s := &Seen{Incarnation: "one"}
	for i := range n {
		s.Skills = append(s.Skills, seenSkill(i))
	}
	return s
}

func TestSeen(t *testing.T) {
	for _, n := range []int{0, 1, MaxSeenSkills} {
		data, err := seenOf(n).Encode()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ParseSeen(data); err != nil || len(back.Skills) != n || n > 0 && back.Skills[n-1] != seenSkill(n-1) {
			t.Errorf("of %d: %+v, %v", n, back, err)
		}
	}
	full := seenOf(MaxSeenSkills)
	for i := range full.Skills {
		for j := range full.Skills[i].Took {
			full.Skills[i].Took[j] = maxCount
		}
	}
	if _, err := full.Encode(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Encode of too much: %v", err)
	}
}

func TestParseSeenRefuses(t *testing.T) {
	change := func(f func(*Seen)) string {
		s := seenOf(2)
		f(s)
		data, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for name, text := range map[string]string{
		"no JSON":           "{",
		"deep":              strings.Repeat("[", MaxSeen),
		"too long":          change(func(*Seen) {}) + strings.Repeat(" ", MaxSeen),
		"no incarnation":    change(func(s *Seen) { s.Incarnation = "" }),
		"long incarnation":  change(func(s *Seen) { s.Incarnation = strings.Repeat("x", 65) }),
		"too many skills":   change(func(s *Seen) { *s = *seenOf(MaxSeenSkills + 1) }),
		"twice":             change(func(s *Seen) { s.Skills[1] = s.Skills[0] }),
		"no name":           change(func(s *Seen) { s.Skills[0].Name = "" }),
		"no digest":         change(func(s *Seen) { s.Skills[0].Digest = "sha256:A" }),
		"no version":        change(func(s *Seen) { s.Skills[0].Version = "new" }),
		"less than nothing": change(func(s *Seen) { s.Skills[0].Completed, s.Skills[0].Failed = 11, -1 }),
		"traps above all":   change(func(s *Seen) { s.Skills[0].Trapped = 3 }),
		"took of others":    change(func(s *Seen) { s.Skills[0].Took[5]++ }),
		"huge":              change(func(s *Seen) { s.Skills[0].Completed = maxCount + 1 }),
	} {
		if s, err := ParseSeen([]byte(text)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: ParseSeen = %+v, %v; want one line of refusal", name, s, err)
		}
	}
}

func FuzzParseSeen(f *testing.F) {
	for _, n := range []int{0, 2, MaxSeenSkills} {
		data, err := seenOf(n).Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"incarnation":"x","skills":[{"took":[1,1]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSeen(data)
		if err != nil {
			return
		}
		for _, skill := range s.Skills {
			if skill.Took.Sum() != skill.Completed+skill.Failed || skill.Trapped > skill.Failed || skill.Completed < 0 {
				t.Fatalf("%+v is read", skill)
			}
		}
		if again, err := s.Encode(); err == nil {
			if _, err := ParseSeen(again); err != nil {
				t.Fatalf("%s\nis not read again: %v", again, err)
			}
		}
	})
}

func TestOfProgram(t *testing.T) {
	for kind, want := range map[FailureKind]bool{
		FailTrap: true, FailExit: true, FailSkill: true, FailTimeout: true, FailMemory: true, FailOutput: true,
		FailInput: true, FailResult: true, FailLoad: true, FailFuel: true, FailLost: false, FailHost: false,
	} {
		if kind.OfProgram() != want {
			t.Errorf("%s.OfProgram() = %v", kind, !want)
		}
	}
}
