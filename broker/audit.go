package broker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// What of the audit log is on the road: for each spore a list that it alone writes,
// and that nexus reads and then empties.
const (
	// MaxEntry bounds one entry in bytes.
	MaxEntry = 16 << 10
	// MaxTold is how many entries of a spore wait at most. Then the oldest give way.
	MaxTold = 1000

	// toldFor is how long entries wait for a nexus that hears them.
	toldFor = 7 * 24 * time.Hour
)

// Tell adds entries to what the audit log is to hear of a spore. When the reply is
// lost they may be there twice.
func (b *Broker) Tell(ctx context.Context, node string, entries [][]byte) error {
	if len(entries) > MaxTold {
		return fmt.Errorf("tell: %d entries, at most %d allowed: %w", len(entries), MaxTold, hive.ErrTooLarge)
	}
	args := []any{node, MaxTold, toldFor.Milliseconds()}
	for _, e := range entries {
		if len(e) > MaxEntry {
			return fmt.Errorf("tell: an entry of %d bytes, at most %d allowed: %w", len(e), MaxEntry, hive.ErrTooLarge)
		}
		args = append(args, e)
	}
	if len(entries) == 0 {
		return nil
	}
	return b.wrap("tell", b.run(ctx, scriptTell, args...).Err())
}

// Entries are what a spore told and nobody heard yet, or the beginning of it.
type Entries struct {
	First   int64    // number of the first one
	Raw     [][]byte // the oldest first; empty in place of one of more than MaxEntry bytes
	Dropped int64    // entries that gave way since that was heard of last

	dropped int64 // in all
}

// Told reads at most so many entries of a spore. They stay until Heard is told of them.
func (b *Broker) Told(ctx context.Context, node string, most int) (Entries, error) {
	reply, err := b.run(ctx, scriptTold, node, most, MaxEntry).Slice()
	if err == nil && len(reply) < 3 {
		err = fmt.Errorf("unexpected answer of %d parts from redis", len(reply))
	}
	if err != nil {
		return Entries{}, b.wrap("read what "+node+" told", err)
	}
	t := Entries{First: number(reply[0]), dropped: number(reply[1])}
	t.Dropped = max(0, t.dropped-number(reply[2]))
	for _, e := range reply[3:] {
		t.Raw = append(t.Raw, []byte(text(e)))
	}
	return t, nil
}

// Heard takes away what Told returned. What came in the meantime stays, also when
// some of it gave way, or somebody else heard it first.
func (b *Broker) Heard(ctx context.Context, node string, t Entries) error {
	err := b.run(ctx, scriptHeard, node, t.First, len(t.Raw), t.dropped, toldFor.Milliseconds()).Err()
	return b.wrap("take away what "+node+" told", err)
}

// Tellers lists the registered spores that told something nobody heard yet; with all,
// those too that are not registered any more, for which it looks at every key.
func (b *Broker) Tellers(ctx context.Context, all bool) (nodes []string, err error) {
	if all {
		nodes, err = b.allTellers(ctx)
	} else {
		nodes, err = b.run(ctx, scriptTellers).StringSlice()
	}
	nodes = slices.DeleteFunc(nodes, func(id string) bool { return hive.CheckNodeID(id) != nil })
	slices.Sort(nodes)
	return slices.Compact(nodes), b.wrap("list who told", err)
}

func (b *Broker) allTellers(ctx context.Context) (nodes []string, err error) {
	prefix := b.keys.told("")
	for cursor := uint64(0); ; {
		keys, next, err := b.scan(ctx, cursor, escapeGlob(prefix)+"*")
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			nodes = append(nodes, strings.TrimPrefix(key, prefix))
		}
		if cursor = next; cursor == 0 {
			return nodes, nil
		}
	}
}
