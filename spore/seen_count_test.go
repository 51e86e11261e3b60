package spore

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

func ranOf(n int) hive.SkillID {
	return hive.SkillID{Name: "echo", Version: fmt.Sprintf("1.0.%d", n), Digest: "sha256:" + strings.Repeat("a", 64)}
}

func outcome(n int, kind hive.FailureKind, took time.Duration) *hive.Outcome {
	out := &hive.Outcome{Ran: ranOf(n), Elapsed: took}
	if kind != "" {
		out.Failure = hive.NewFailure(kind, "because")
	}
	return out
}

// read is what a nexus reads of it.
func read(t *testing.T, s *seen) *hive.Seen {
	t.Helper()
	body, _, err := s.encode("one")
	if err != nil {
		t.Fatal(err)
	}
	report, err := hive.ParseSeen(body)
	if err != nil || report.Incarnation != "one" {
		t.Fatalf("ParseSeen(%s) = %+v, %v", body, report, err)
	}
	return report
}

func TestSeenCounts(t *testing.T) {
	t.Parallel()
	var s seen
	if r := read(t, &s); len(r.Skills) != 0 {
		t.Errorf("before anything: %+v", r)
	}
	for _, kind := range []hive.FailureKind{"", "", hive.FailTrap, hive.FailExit, hive.FailTimeout, hive.FailInput, hive.FailHost, hive.FailLost} {
		s.ended(outcome(0, kind, 3*time.Millisecond))
	}
	s.ended(outcome(1, "", time.Second))
	s.ended(&hive.Outcome{}) // of what nobody knows what ran
	got := read(t, &s).Skills
	want := []hive.SkillSeen{{SkillID: ranOf(0), Completed: 2, Failed: 4, Trapped: 1}, {SkillID: ranOf(1), Completed: 1}}
	want[0].Took[hive.TookBucket(3*time.Millisecond)] = 6
	want[1].Took[hive.TookBucket(time.Second)] = 1
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("seen %+v", got)
	}
}

// TestSeenForgets: with too many skills, the one that was used least lately is
// forgotten, and counts from 0 when it comes back.
func TestSeenForgets(t *testing.T) {
	t.Parallel()
	var s seen
	for i := range hive.MaxSeenSkills {
		s.ended(outcome(i, "", time.Millisecond))
	}
	s.ended(outcome(0, "", time.Millisecond))
	s.ended(outcome(1000, "", time.Millisecond)) // in the place of 1
	s.ended(outcome(1, "", time.Millisecond))    // in the place of 2
	counts := map[hive.SkillID]int64{}
	for _, skill := range read(t, &s).Skills {
		counts[skill.SkillID] = skill.Completed
	}
	if _, there := counts[ranOf(2)]; there || len(counts) != hive.MaxSeenSkills || counts[ranOf(0)] != 2 || counts[ranOf(1)] != 1 || counts[ranOf(3)] != 1 {
		t.Errorf("%d skills are seen: %v", len(counts), counts)
	}
}

// TestSeenFits: a report never has too many bytes, and keeps what was used last.
func TestSeenFits(t *testing.T) {
	t.Parallel()
	s := seen{skills: map[hive.SkillID]*usedSkill{}}
	for i := range hive.MaxSeenSkills {
		skill := &usedSkill{hive.SkillSeen{SkillID: ranOf(i), Completed: hive.TookBuckets << 40}, int64(i)}
		for b := range skill.Took {
			skill.Took[b] = 1 << 40
		}
		s.skills[skill.SkillID] = skill
	}
	got := read(t, &s).Skills
	if len(got) == 0 || len(got) >= hive.MaxSeenSkills || len(s.skills) != len(got) || got[len(got)-1].SkillID != ranOf(hive.MaxSeenSkills-1) {
		t.Errorf("%d skills are told, %d known", len(got), len(s.skills))
	}
	if _, _, err := s.encode("one"); err != nil || errors.Is(err, hive.ErrTooLarge) {
		t.Error(err)
	}
}

func TestSeenIsCheap(t *testing.T) {
	var s seen
	out := outcome(0, hive.FailTrap, time.Millisecond)
	if n := testing.AllocsPerRun(100, func() { s.ended(out) }); n != 0 {
		t.Errorf("%v allocations for an attempt", n)
	}
}

func TestSeenAtOnce(t *testing.T) {
	t.Parallel()
	var s seen
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 100 {
				s.ended(outcome(i%2, "", time.Millisecond))
				if _, _, err := s.encode("one"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if r := read(t, &s); len(r.Skills) != 2 || r.Skills[0].Completed+r.Skills[1].Completed != 800 || s.count() != 800 {
		t.Errorf("seen %+v", r)
	}
}
