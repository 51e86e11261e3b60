package broker

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// Orphan is a task that is not over, or a tombstone of a cancelled one, and stands nowhere:
// in no lane, queue, own set, nor among those that are scheduled.
type Orphan struct {
	ID      string
	State   hive.State
	Attempt int
}

// maxOrphans bounds how many are looked at in one go.
const maxOrphans = 10_000

// Orphans looks for tasks that stand nowhere. One that moves meanwhile may look like that
// too: only who is found twice, just as before, is one.
func (b *Broker) Orphans(ctx context.Context) (orphans []Orphan, err error) {
	stand, err := b.standing(ctx)
	if err != nil {
		return nil, b.wrap("look for orphans", err)
	}
	err = b.eachKey(ctx, "t:*", func(names []string) error {
		pipe, heads := b.rdb.Pipeline(), map[string]*redis.StringCmd{}
		for _, name := range names {
			if id := name[len("t:"):]; !stand.has(id) {
				heads[id] = pipe.GetRange(ctx, b.keys.record(id), 0, headLen-1)
			}
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		for id, head := range heads {
			if o, ok := orphan(id, head.Val()); ok && len(orphans) < maxOrphans {
				orphans = append(orphans, o)
			}
		}
		return nil
	})
	return orphans, b.wrap("look for orphans", err)
}

// orphan reads the header of a record that stands nowhere; false if it may.
func orphan(id, head string) (Orphan, bool) {
	if len(head) < headLen || head[0] != recordVersion {
		return Orphan{}, false
	}
	state, known := stateLetters[head[1]]
	o := Orphan{id, state, int(binary.BigEndian.Uint32([]byte(head[4:])))}
	tombstone := state == hive.Cancelled && head[3]&flagQueued != 0
	return o, known && !state.Final() && state != hive.Blocked || tombstone
}

// idSet holds ids as hashes of 8 bytes: there may be millions. That two hash alike hides
// an orphan about once in 10^13 looks.
type idSet struct {
	seed maphash.Seed
	seen map[uint64]struct{}
}

func (s idSet) add(ids []string) {
	for _, id := range ids {
		s.seen[maphash.String(s.seed, id)] = struct{}{}
	}
}

func (s idSet) has(id string) bool {
	_, ok := s.seen[maphash.String(s.seed, id)]
	return ok
}

// standing are the ids that stand somewhere.
func (b *Broker) standing(ctx context.Context) (idSet, error) {
	ids := idSet{maphash.MakeSeed(), map[uint64]struct{}{}}
	spores, lanes, err := b.places(ctx, true)
	if err != nil {
		return ids, err
	}
	for _, lane := range lanes {
		if err := b.eachID(ctx, b.keys.lane(lane), ids); err != nil {
			return ids, err
		}
	}
	for _, spore := range spores {
		if err := b.eachID(ctx, b.keys.queue(spore), ids); err != nil {
			return ids, err
		}
		own, err := b.rdb.SMembers(ctx, b.keys.own(spore)).Result()
		if err != nil {
			return ids, err
		}
		ids.add(own)
	}
	due, err := b.rdb.ZRange(ctx, b.keys.delay(), 0, -1).Result()
	ids.add(due)
	return ids, err
}

// eachBatch is how many ids of a list one read asks for.
const eachBatch = 10_000

// eachID adds what a list holds. Ids move from its head meanwhile: it is read from its tail.
func (b *Broker) eachID(ctx context.Context, key string, ids idSet) error {
	for end := int64(-1); ; end -= eachBatch {
		part, err := b.rdb.LRange(ctx, key, end-eachBatch+1, end).Result()
		if err != nil {
			return err
		}
		if ids.add(part); len(part) < eachBatch {
			return nil
		}
	}
}

// Adopt puts an orphan back to where its state says; what ran has lost its attempt. It
// reports whether it did: the task may be another one by now.
func (b *Broker) Adopt(ctx context.Context, term Term, o Orphan) (bool, error) {
	lost := packOutcome(&hive.Outcome{Failure: hive.NewFailure(hive.FailLost, "the road had lost sight of the attempt")})
	n, err := b.run(ctx, scriptAdopt, term.fence(), o.ID, string(letterOf(o.State)), o.Attempt, lost, b.opts.Retention.Milliseconds()).Int()
	if err == nil && n == deposed {
		return false, fmt.Errorf("adopt: %w", hive.ErrNotLeader)
	}
	return n == 1, b.wrap("adopt", err)
}
