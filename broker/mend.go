package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// Orphan is a task that is not over and stands nowhere: in no lane, queue, own set, nor
// among those that are scheduled.
type Orphan struct {
	ID      string
	State   hive.State
	Attempt int
}

// Orphans looks for tasks that stand nowhere. One that moves meanwhile may look like that
// too: only who is found twice, just as before, is one.
func (b *Broker) Orphans(ctx context.Context) (orphans []Orphan, err error) {
	placed, err := b.placed(ctx)
	if err != nil {
		return nil, b.wrap("look for orphans", err)
	}
	err = b.Tasks(ctx, func(r *hive.Record) bool {
		if !r.State.Final() && r.State != hive.Blocked && !placed[r.ID] {
			orphans = append(orphans, Orphan{r.ID, r.State, r.Attempts})
		}
		return len(orphans) < maxOrphans
	})
	return orphans, err
}

// maxOrphans bounds how many are looked at in one go.
const maxOrphans = 10_000

// placed are the ids that stand somewhere.
func (b *Broker) placed(ctx context.Context) (map[string]bool, error) {
	spores, lanes, err := b.places(ctx)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, lane := range lanes {
		if err := b.each(ctx, b.keys.lane(lane), ids); err != nil {
			return nil, err
		}
	}
	for _, spore := range spores {
		if err := b.each(ctx, b.keys.queue(spore), ids); err != nil {
			return nil, err
		}
		own, err := b.rdb.SMembers(ctx, b.keys.own(spore)).Result()
		if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
			return nil, err
		}
		for _, id := range own {
			ids[id] = true
		}
	}
	due, err := b.rdb.ZRange(ctx, b.keys.delay(), 0, -1).Result()
	for _, id := range due {
		ids[id] = true
	}
	return ids, err
}

// eachBatch is how many ids of a list one read asks for.
const eachBatch = 10_000

// each adds what a list holds. Ids move from its head meanwhile: it is read from its tail.
func (b *Broker) each(ctx context.Context, key string, ids map[string]bool) error {
	for end := int64(-1); ; end -= eachBatch {
		part, err := b.rdb.LRange(ctx, key, end-eachBatch+1, end).Result()
		if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
			return err
		}
		for _, id := range part {
			ids[id] = true
		}
		if len(part) < eachBatch {
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

// Mend is something on the road that did not agree with the rest, and does now.
type Mend struct {
	What    string // used, nodes or act: the key; orphan: a record
	Name    string // of the spore, lane or task
	Was, Is string
}

// mendBatch bounds what one script call looks at.
const mendBatch = 200

// Mend compares what stands in two places, and mends what differs: the count of what each
// spore holds, the list of spores, and the set of lanes that are not empty. On a road
// whose scripts alone write it finds nothing.
func (b *Broker) Mend(ctx context.Context, term Term) ([]Mend, error) {
	spores, lanes, err := b.places(ctx)
	if err != nil {
		return nil, b.wrap("mend", err)
	}
	var mends []Mend
	for batch := range slices.Chunk(spores, mendBatch) {
		done, err := b.mend(ctx, term, batch, nil)
		if mends = append(mends, done...); err != nil {
			return mends, err
		}
	}
	for batch := range slices.Chunk(lanes, mendBatch) {
		done, err := b.mend(ctx, term, nil, batch)
		if mends = append(mends, done...); err != nil {
			return mends, err
		}
	}
	return mends, nil
}

func (b *Broker) mend(ctx context.Context, term Term, spores, lanes []string) ([]Mend, error) {
	args := []any{term.fence(), len(spores)}
	for _, name := range append(slices.Clone(spores), lanes...) {
		args = append(args, name)
	}
	words, err := b.run(ctx, scriptMend, args...).StringSlice()
	switch {
	case err != nil:
		return nil, b.wrap("mend", err)
	case len(words) == 1 && words[0] == "deposed":
		return nil, fmt.Errorf("mend: %w", hive.ErrNotLeader)
	case len(words)%4 != 1:
		return nil, b.wrap("mend", errors.New("an answer that is none"))
	}
	var mends []Mend
	for w := range slices.Chunk(words[1:], 4) {
		mends = append(mends, Mend{w[0], w[1], w[2], w[3]})
	}
	return mends, nil
}

// places lists the spores that are listed, counted, or hold something, and the lanes that
// are listed or are there.
func (b *Broker) places(ctx context.Context) (spores, lanes []string, err error) {
	pipe := b.rdb.Pipeline()
	nodes, used, active := pipe.SMembers(ctx, b.keys.nodes()), pipe.HKeys(ctx, b.keys.used()), pipe.SMembers(ctx, b.keys.active())
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, nil, err
	}
	spores, lanes = append(nodes.Val(), used.Val()...), active.Val()
	for cursor := uint64(0); ; {
		keys, next, err := b.scan(ctx, cursor, escapeGlob(b.keys.prefix)+"[ino]*")
		if err != nil {
			return nil, nil, err
		}
		for _, key := range keys {
			if name, ok := strings.CutPrefix(key, b.keys.lane("")); ok {
				lanes = append(lanes, name)
			} else if name, ok := strings.CutPrefix(key, b.keys.queue("")); ok {
				spores = append(spores, name)
			} else if name, ok := strings.CutPrefix(key, b.keys.own("")); ok {
				spores = append(spores, name)
			}
		}
		if cursor = next; cursor == 0 {
			break
		}
	}
	spores = slices.DeleteFunc(spores, func(name string) bool { return hive.CheckNodeID(name) != nil })
	return unique(spores), unique(lanes), nil
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
