package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hive-spore/hive"
)

// Announce makes known which skills there are, in the place of what was known, and
// tells all spores that there is something new to fetch. Nobody runs a skill for what
// stands here: it is what clients choose from. It returns hive.ErrNotLeader when
// another nexus has taken the lead. Again says that it was announced before: then
// nothing happens if it is still there.
func (b *Broker) Announce(ctx context.Context, term Term, skills []hive.Skill, again bool) error {
	args := []any{term.fence(), 0}
	if again {
		args[1] = 1
	}
	for i := range skills {
		body, err := json.Marshal(&skills[i])
		if err != nil {
			return fmt.Errorf("announce %s: %w", skills[i].ID(), err)
		}
		args = append(args, skills[i].ID().String(), body)
	}
	n, err := b.run(ctx, scriptAnnounce, args...).Int()
	if err == nil && n == deposed {
		return fmt.Errorf("announce: %w", hive.ErrNotLeader)
	}
	return b.wrap("announce", err)
}

// Skills returns every skill that was announced, in the order of hive.SortSkills.
func (b *Broker) Skills(ctx context.Context) ([]hive.Skill, error) {
	all, err := b.rdb.HGetAll(ctx, b.keys.skills()).Result()
	if err != nil {
		return nil, b.wrap("list skills", err)
	}
	skills := make([]hive.Skill, 0, len(all))
	for _, body := range all {
		var s hive.Skill
		if json.Unmarshal([]byte(body), &s) == nil {
			skills = append(skills, s)
		}
	}
	hive.SortSkills(skills)
	return skills, nil
}

// AwaitSkill returns when one exact skill was announced.
func (b *Broker) AwaitSkill(ctx context.Context, id hive.SkillID) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		skills, err := b.Skills(ctx)
		if err != nil || slices.ContainsFunc(skills, func(s hive.Skill) bool { return s.ID() == id }) {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
