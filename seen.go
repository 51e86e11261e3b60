package hive

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Bounds of a Seen, whose JSON has at most MaxSeen bytes.
const (
	MaxSeenSkills = 64
	MaxSeen       = 64 << 10
	// maxCount bounds what it counts, so that sums cannot overflow.
	maxCount = 1 << 48
)

// Seen is what the programs on one spore did since its incarnation began.
type Seen struct {
	Incarnation string      `json:"incarnation"`
	Skills      []SkillSeen `json:"skills"`
}

// SkillSeen counts the attempts of one exact skill that ended. One that was cancelled
// or fenced, or failed for a reason that is not the program's, counts nowhere.
type SkillSeen struct {
	SkillID
	Completed int64 `json:"completed"`
	Failed    int64 `json:"failed"`
	Trapped   int64 `json:"trapped"` // of those that failed
	Took      Took  `json:"took"`    // all of them
}

// Encode returns what ParseSeen reads, or ErrTooLarge.
func (s *Seen) Encode() ([]byte, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	if len(data) > MaxSeen {
		return nil, fmt.Errorf("seen: %d bytes, at most %d allowed: %w", len(data), MaxSeen, ErrTooLarge)
	}
	return data, nil
}

// ParseSeen reads what a spore says that it has seen. Nothing in it is beyond the
// bounds, negative, or at odds with the rest.
func ParseSeen(data []byte) (*Seen, error) {
	if len(data) > MaxSeen {
		return nil, fmt.Errorf("seen: %d bytes, at most %d allowed: %w", len(data), MaxSeen, ErrTooLarge)
	}
	s := new(Seen)
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("seen: %w", err)
	}
	if n := len(s.Incarnation); n < 1 || n > 64 {
		return nil, fmt.Errorf("seen: an incarnation of %d bytes, want 1 to 64", n)
	}
	if n := len(s.Skills); n > MaxSeenSkills {
		return nil, fmt.Errorf("seen: %d skills, at most %d allowed", n, MaxSeenSkills)
	}
	known := map[SkillID]bool{}
	for i := range s.Skills {
		skill := &s.Skills[i]
		if err := skill.check(); err != nil {
			return nil, fmt.Errorf("seen: skill %d: %w", i+1, err)
		}
		if known[skill.SkillID] {
			return nil, fmt.Errorf("seen: skill %d: %s is there twice", i+1, skill)
		}
		known[skill.SkillID] = true
	}
	return s, nil
}

func (s *SkillSeen) check() error {
	within := func(n int64) bool { return n >= 0 && n <= maxCount }
	switch {
	case CheckSkillName(s.Name) != nil || CheckVersion(s.Version) != nil || !skillDigest.MatchString(s.Digest):
		return errors.New("want a name, a version and a digest")
	case !within(s.Completed) || !within(s.Failed) || !within(s.Trapped) || s.Trapped > s.Failed:
		return errors.New("counts that cannot be")
	case s.Took.Sum() != s.Completed+s.Failed:
		return errors.New("took: not of as many as ended")
	}
	return nil
}
