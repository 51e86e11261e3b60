package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// MaxProgram bounds a skill's program.
const MaxProgram = 64 << 20

// Publish makes one exact skill known to every spore. A version that is known
// with another program or manifest is refused: versions do not change.
func (b *Broker) Publish(ctx context.Context, s *hive.Skill, program []byte) error {
	if hive.IsWorkingCopy(s.Version) {
		return fmt.Errorf("publish %s: a version that ends in %s may change: choose another", s.ID(), hive.WorkingCopy)
	}
	other, err := b.publish(ctx, s, program, 0)
	if err == nil && other != "" {
		err = fmt.Errorf("%s is registered already with another program or manifest (%.19s…): raise the version", s.ID(), other)
	}
	return err
}

// supersededFor is how long the program of a working copy is kept after another
// took its place.
const supersededFor = 10 * time.Minute

// Replace is Publish of a working copy, whose version takes the place of what it
// meant before. Attempts that run are not touched; those that begin when a spore has
// heard of it run the new one.
func (b *Broker) Replace(ctx context.Context, s *hive.Skill, program []byte) error {
	if !hive.IsWorkingCopy(s.Version) {
		return fmt.Errorf("replace %s: only a version that ends in %s may change", s.ID(), hive.WorkingCopy)
	}
	_, err := b.publish(ctx, s, program, supersededFor)
	return err
}

// publish returns the digest of what is known instead, if the skill was refused.
func (b *Broker) publish(ctx context.Context, s *hive.Skill, program []byte, stays time.Duration) (other string, err error) {
	if len(program) > MaxProgram {
		return "", fmt.Errorf("publish %s: program of %d bytes, at most %d allowed: %w", s.ID(), len(program), MaxProgram, hive.ErrTooLarge)
	}
	body, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("publish %s: %w", s.ID(), err)
	}
	reply, err := b.run(ctx, scriptPublish, s.ID().String(), body, s.Digest, program, stays.Milliseconds()).Result()
	if err != nil {
		return "", b.wrap("publish", err)
	}
	other, _, _ = list(reply, nil)
	return other, nil
}

// Skills returns every registered skill, by name, newest version first, and
// pre-releases after all releases: who does not ask for one gets none while there
// is a release.
func (b *Broker) Skills(ctx context.Context) ([]hive.Skill, error) {
	all, err := b.rdb.HGetAll(ctx, b.keys.skills()).Result()
	if err != nil {
		return nil, b.wrap("list skills", err)
	}
	skills := make([]hive.Skill, 0, len(all))
	for _, value := range all {
		_, body, _ := strings.Cut(value, " ")
		var s hive.Skill
		if json.Unmarshal([]byte(body), &s) == nil {
			skills = append(skills, s)
		}
	}
	slices.SortFunc(skills, func(a, b hive.Skill) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		if pre := strings.Contains(a.Version, "-"); pre != strings.Contains(b.Version, "-") {
			if pre {
				return 1
			}
			return -1
		}
		return hive.CompareVersions(b.Version, a.Version)
	})
	return skills, nil
}

// programPart is how much of a program one read asks for: with a slow line, a
// whole one would not come within the client's limit for an answer.
const programPart = 4 << 20

// Program returns the bytes registered under a digest. The caller checks them.
func (b *Broker) Program(ctx context.Context, digest string) ([]byte, error) {
	var program []byte
	for {
		at := int64(len(program))
		part, err := b.rdb.GetRange(ctx, b.keys.wasm(digest), at, at+programPart-1).Bytes()
		if err != nil {
			return nil, b.wrap("read program", err)
		}
		if program = append(program, part...); len(program) > MaxProgram {
			return nil, fmt.Errorf("program %.19s…: more than %d bytes: %w", digest, MaxProgram, hive.ErrTooLarge)
		}
		if len(part) < programPart {
			break
		}
	}
	if len(program) == 0 {
		return nil, fmt.Errorf("program %.19s…: %w", digest, hive.ErrNotFound)
	}
	return program, nil
}
