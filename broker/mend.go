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

// Mend is something on the road that did not agree with the rest, and does now.
type Mend struct {
	What    string // the key or field: used, nodes, own, beat, act, ct, run, bl
	Name    string // of the spore, task, lane, counter, class or blob
	Was, Is string
}

// mendBatch bounds the spores and lanes that one script call looks at, recountMost the
// ids of one recount: a spore of ten slots takes about 40 µs, an id 4.
const (
	mendBatch   = 50
	recountMost = 2000
	mostOwn     = 2000 // likewise in mend.lua
)

// Mend compares what stands in two places, and mends what differs: the list of spores, what
// each of them holds and how much that is, and the set of lanes that are not empty. On a
// road whose scripts alone write it finds nothing. Foreign values are moved aside. Thorough
// looks also at queues and lanes that are on no list, by reading the names of all keys.
func (b *Broker) Mend(ctx context.Context, term Term, thorough bool) ([]Mend, error) {
	spores, lanes, err := b.places(ctx, thorough)
	if err != nil {
		return nil, b.wrap("mend", err)
	}
	var mends []Mend
	for batch := range slices.Chunk(looks(spores, lanes), mendBatch) {
		for again := true; again; {
			done, err := b.mend(ctx, "mend", scriptMend, append([]any{term.fence()}, batch...)...)
			if mends = append(mends, done...); err != nil {
				return mends, err
			}
			again = len(done) > mostOwn/2 // of a spore that claims more there are some left
		}
	}
	return mends, nil
}

// Recount compares the counters of waiting and running tasks, of those of each class
// that spores hold, and of those that refer to a blob, with what stands on the road, and mends what differs. Where more than
// 2,000 tasks do, it is left for later: a few do not matter then.
func (b *Broker) Recount(ctx context.Context, term Term) ([]Mend, error) {
	return b.mend(ctx, "recount", scriptRecount, term.fence(), recountMost)
}

// looks spells what mend is to look at: there is at least one, for the sake of the keys
// that are always looked at.
func looks(spores, lanes []string) []any {
	words := []any{"l"}
	for _, name := range spores {
		if hive.CheckNodeID(name) != nil {
			words = append(words, "S"+name)
		} else {
			words = append(words, "s"+name)
		}
	}
	for _, name := range lanes {
		if isLane(name) {
			words = append(words, "l"+name)
		} else {
			words = append(words, "L"+name)
		}
	}
	return words
}

func isLane(name string) bool {
	class, _, ok := splitLane(name)
	if ok && !strings.HasPrefix(class, "#") {
		_, ok = splitClass(class)
	}
	return ok
}

func (b *Broker) mend(ctx context.Context, what string, script *redis.Script, args ...any) ([]Mend, error) {
	words, err := b.run(ctx, script, args...).StringSlice()
	switch {
	case err != nil:
		return nil, b.wrap(what, err)
	case len(words) == 1 && words[0] == "deposed":
		return nil, fmt.Errorf("%s: %w", what, hive.ErrNotLeader)
	case len(words)%4 != 1:
		return nil, b.wrap(what, errors.New("an answer that is none"))
	}
	var mends []Mend
	for w := range slices.Chunk(words[1:], 4) {
		mends = append(mends, Mend{w[0], w[1], w[2], w[3]})
	}
	return mends, nil
}

// places lists the spores that are listed or counted, and the lanes that are listed; and,
// everywhere, also those that hold something or are there.
func (b *Broker) places(ctx context.Context, everywhere bool) (spores, lanes []string, err error) {
	pipe := b.rdb.Pipeline()
	nodes, used, active := pipe.SMembers(ctx, b.keys.nodes()), pipe.HKeys(ctx, b.keys.used()), pipe.SMembers(ctx, b.keys.active())
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, nil, err
	}
	spores, lanes = append(nodes.Val(), used.Val()...), active.Val()
	if !everywhere {
		return unique(spores), lanes, nil
	}
	err = b.eachKey(ctx, "[ino]*", func(names []string) error {
		for _, key := range names {
			if name, ok := strings.CutPrefix(key, "in:"); ok {
				lanes = append(lanes, name)
			} else if name, ok := strings.CutPrefix(key, "n:"); ok {
				spores = append(spores, name)
			} else if name, ok := strings.CutPrefix(key, "own:"); ok {
				spores = append(spores, name)
			}
		}
		return nil
	})
	return unique(spores), unique(lanes), err
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
