package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// Stats counts tasks by state, from counters the scripts keep.
func (b *Broker) Stats(ctx context.Context) (hive.Stats, error) {
	nodes, err := b.rdb.SMembers(ctx, b.keys.nodes()).Result()
	if err != nil {
		return hive.Stats{}, b.wrap("stats", err)
	}
	pipe := b.rdb.Pipeline()
	counters, delay := pipe.HGetAll(ctx, b.keys.counters()), pipe.ZCard(ctx, b.keys.delay())
	queues := make([]*redis.IntCmd, len(nodes))
	for i, node := range nodes {
		queues[i] = pipe.LLen(ctx, b.keys.queue(node))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return hive.Stats{}, b.wrap("stats", err)
	}
	count := func(field string) int64 {
		n, _ := strconv.ParseInt(counters.Val()[field], 10, 64)
		return max(0, n) // until it is recounted
	}
	s := hive.Stats{Scheduled: delay.Val(), Running: count("running"), Completed: count("completed"),
		Failed: count("failed"), Cancelled: count("cancelled"), Mended: count("mended"), Foreign: count("foreign")}
	for p := hive.MinPriority; p <= hive.MaxPriority; p++ {
		if n := count("w" + strconv.Itoa(int(p))); p.High() {
			s.High += n
		} else {
			s.Background += n
		}
	}
	for _, q := range queues {
		s.Assigned += q.Val()
	}
	waiting := s.High + s.Background
	s.Assigned = min(s.Assigned, waiting) // tombstones stand in queues too
	s.Pending = waiting - s.Assigned
	return s, nil
}

// maxRecord bounds a record in bytes, with much to spare.
const maxRecord = 12 << 20

// Status returns all the road knows of a task, or ErrNotFound.
func (b *Broker) Status(ctx context.Context, id string) (*hive.Record, error) {
	if err := hive.CheckID(id); err != nil {
		return nil, err
	}
	s, err := b.rdb.GetRange(ctx, b.keys.record(id), 0, maxRecord).Bytes()
	if err == nil && len(s) == 0 {
		return nil, fmt.Errorf("task %s: %w (finished tasks are kept for %v)", id, hive.ErrNotFound, b.opts.Retention)
	}
	if err != nil {
		return nil, b.wrap("status", err)
	}
	if len(s) > maxRecord {
		return nil, fmt.Errorf("task %s: %w", id, errRecord)
	}
	r, err := unpack(id, s)
	if err != nil || r.State != hive.Pending {
		return r, err
	}
	return r, b.findAssigned(ctx, r)
}

// findAssigned looks for a pending task in the spores' queues. Assign does not
// touch records: a task is assigned because it stands there.
func (b *Broker) findAssigned(ctx context.Context, r *hive.Record) error {
	r.Node = ""
	nodes, err := b.rdb.SMembers(ctx, b.keys.nodes()).Result()
	if err != nil || len(nodes) == 0 {
		return b.wrap("status", err)
	}
	pipe := b.rdb.Pipeline()
	places := make([]*redis.IntCmd, len(nodes))
	for i, node := range nodes {
		places[i] = pipe.LPos(ctx, b.keys.queue(node), r.ID, redis.LPosArgs{})
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return b.wrap("status", err)
	}
	for i, node := range nodes {
		if places[i].Err() == nil {
			r.State, r.Node = hive.Assigned, node
		}
	}
	return nil
}

// Place returns how many tasks stand before a pending task in its lane. It looks through at
// most the first and the last 10,000; a task in between counts as the 10,000th.
func (b *Broker) Place(ctx context.Context, r *hive.Record) (int, error) {
	const far = 10_000
	text, _ := ClassOf(&r.Task).Text()
	lane := b.keys.lane(laneName(text, r.Priority))
	for _, rank := range []int64{1, -1} {
		place, err := b.rdb.LPos(ctx, lane, r.ID, redis.LPosArgs{Rank: rank, MaxLen: far}).Result()
		if !errors.Is(err, redis.Nil) {
			return int(place), b.wrap("status", err)
		}
	}
	return far, nil
}

// Holds returns the running tasks of a spore, without their payloads.
func (b *Broker) Holds(ctx context.Context, node string) ([]*hive.Record, error) {
	ids, err := b.rdb.SMembers(ctx, b.keys.own(node)).Result()
	if err != nil {
		return nil, b.wrap("list running tasks", err)
	}
	records, err := b.records(ctx, ids)
	return records, b.wrap("list running tasks", err)
}

// peekBatch bounds the ids of one peek call.
const peekBatch = 500

// records reads many records without their payloads and results; those that are
// gone or foreign are left out.
func (b *Broker) records(ctx context.Context, ids []string) ([]*hive.Record, error) {
	var records []*hive.Record
	for batch := range slices.Chunk(ids, peekBatch) {
		values, err := b.run(ctx, scriptPeek, anys(batch)...).StringSlice()
		if err == nil && len(values) != len(batch) {
			err = fmt.Errorf("%d answers to %d ids", len(values), len(batch))
		}
		if err != nil {
			return nil, err
		}
		for i, id := range batch {
			if r, err := unpack(id, []byte(values[i])); err == nil {
				records = append(records, r)
			}
		}
	}
	return records, nil
}

// Now is the time by the clock that all times of records are by.
func (b *Broker) Now(ctx context.Context) (time.Time, error) {
	ms, err := b.clock(ctx, b.rdb).Int64()
	return time.UnixMilli(ms), b.wrap("ask for the time", err)
}

// Zombies lists tasks that have been running for longer than d, on any spore.
func (b *Broker) Zombies(ctx context.Context, d time.Duration) ([]hive.Zombie, error) {
	nodes, err := b.rdb.SMembers(ctx, b.keys.nodes()).Result()
	if err != nil {
		return nil, b.wrap("zombies", err)
	}
	now, err := b.Now(ctx)
	if err != nil {
		return nil, err
	}
	var zombies []hive.Zombie
	for _, node := range nodes {
		running, err := b.Holds(ctx, node)
		if err != nil {
			return nil, err
		}
		for _, r := range running {
			if elapsed := now.Sub(r.Started); r.State == hive.Running && elapsed > d {
				zombies = append(zombies, hive.Zombie{ID: r.ID, Node: node, Elapsed: elapsed})
			}
		}
	}
	return zombies, nil
}

// scanBatch is how many keys one scan step looks at.
const scanBatch = 1000

// Tasks calls f for tasks on the road, without their payloads and results, in no
// particular order until it returns false. A task whose state changes meanwhile may
// be seen in either.
func (b *Broker) Tasks(ctx context.Context, f func(*hive.Record) bool) error {
	err := b.eachKey(ctx, "t:*", func(names []string) error {
		for i := range names {
			names[i] = names[i][len("t:"):]
		}
		records, err := b.records(ctx, names)
		for _, r := range records {
			if !f(r) {
				return errEnough
			}
		}
		return err
	})
	if err == errEnough {
		err = nil
	}
	return b.wrap("list tasks", err)
}

// Failed is Tasks for those that had failed for good when it was called: it reads no others.
func (b *Broker) Failed(ctx context.Context, f func(*hive.Record) bool) error {
	ids, cursor := map[string]bool{}, uint64(0) // a scan may tell of one twice
	for again := true; again; again = cursor != 0 {
		found, next, err := b.rdb.ZScan(ctx, b.keys.dead(), cursor, "", scanBatch).Result()
		if err != nil {
			return b.wrap("list failed tasks", err)
		}
		for i := 0; i < len(found); i += 2 { // each is followed by its score
			ids[found[i]] = true
		}
		cursor = next
	}
	for batch := range slices.Chunk(slices.Collect(maps.Keys(ids)), peekBatch) {
		records, err := b.records(ctx, batch)
		if err != nil {
			return b.wrap("list failed tasks", err)
		}
		for _, r := range records {
			if r.State == hive.Failed && !f(r) {
				return nil
			}
		}
	}
	return nil
}

// errEnough ends a walk through the keys early.
var errEnough = errors.New("enough")

// eachKey calls f with the names, without the prefix, of all keys that match a pattern, some
// at a time.
func (b *Broker) eachKey(ctx context.Context, pattern string, f func(names []string) error) error {
	prefix := b.keys.prefix
	for cursor := uint64(0); ; {
		keys, next, err := b.scan(ctx, cursor, escapeGlob(prefix)+pattern)
		if err != nil {
			return err
		}
		for i := range keys {
			keys[i] = keys[i][len(prefix):]
		}
		if err := f(keys); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// scan asks the one server of a Cluster that holds the shard.
func (b *Broker) scan(ctx context.Context, cursor uint64, pattern string) ([]string, uint64, error) {
	if cluster, ok := b.rdb.(*redis.ClusterClient); ok {
		node, err := cluster.MasterForKey(ctx, b.keys.prefix)
		if err != nil {
			return nil, 0, err
		}
		return node.Scan(ctx, cursor, pattern, scanBatch).Result()
	}
	return b.rdb.Scan(ctx, cursor, pattern, scanBatch).Result()
}

func escapeGlob(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		switch s[i] {
		case '*', '?', '[', ']', '\\':
			out = append(out, '\\')
		}
		out = append(out, s[i])
	}
	return string(out)
}
