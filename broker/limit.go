package broker

import (
	"context"
	"strconv"
	"time"

	"github.com/hive-spore/hive"
)

// Bucket is what a rate is kept by: that of a limit or, if the limit is per key, of a key.
type Bucket struct {
	hive.LimitScope
	Key string // empty, unless it is per key
}

// BucketOf is that of a limit for tasks with a key.
func BucketOf(l hive.Limit, key string) Bucket {
	if !l.PerKey {
		key = ""
	}
	return Bucket{l.LimitScope, key}
}

// String is the bucket for people.
func (b Bucket) String() string {
	switch {
	case b.Key == "":
		return b.LimitScope.String()
	case b.Scope == hive.Scope{}:
		return "key " + b.Key
	}
	return "key " + b.Key + " of " + b.Scope.String()
}

// name is how keys of the road spell it.
func (b Bucket) name() string {
	name := limitField(b.PerKey) + scopeField(b.Scope)
	if b.PerKey {
		name += " " + b.Key
	}
	return name
}

// Spent says how far tasks have emptied a bucket: Full is when it will be full again, by
// Redis' clock, if no more are given to spores until then. That is all there is to know of
// it, and need not be known for longer than Keep.
type Spent struct {
	Bucket
	Full time.Time
	Keep time.Duration
}

// Buckets returns when each bucket will be full again: a time that is past, or zero, for
// those that are.
func (b *Broker) Buckets(ctx context.Context, buckets []Bucket) ([]time.Time, error) {
	full := make([]time.Time, 0, len(buckets))
	for len(buckets) > len(full) {
		batch := buckets[len(full):]
		batch = batch[:min(len(batch), scanBatch)]
		keys := make([]string, len(batch))
		for i, bucket := range batch {
			keys[i] = b.keys.bucket(bucket.name())
		}
		values, err := b.rdb.MGet(ctx, keys...).Result()
		if err != nil {
			return nil, b.wrap("read rates", err)
		}
		for _, v := range values {
			at := time.Time{}
			if ns, err := strconv.ParseInt(text(v), 10, 64); err == nil && ns > 0 {
				at = time.Unix(0, ns)
			}
			full = append(full, at)
		}
	}
	return full, nil
}

// Running returns how many tasks of each class spores hold, by the class' text.
func (b *Broker) Running(ctx context.Context) (map[string]int, error) {
	run, err := b.rdb.HGetAll(ctx, b.keys.run()).Result()
	return numbers(run), b.wrap("count running tasks", err)
}

// RunningOf returns how many of these tasks that run count for each limit. Classes are those
// whose texts are hashes, as far as the caller knows them: it is told of more.
func (b *Broker) RunningOf(ctx context.Context, flow *hive.Flow, running map[string]int, classes map[string]Class) (map[Bucket]int, error) {
	counts, read := map[Bucket]int{}, false
	for text, n := range running {
		c, ok := splitClass(text)
		if !ok {
			c, ok = classes[text]
		}
		if !ok && !read {
			if err := b.heldClasses(ctx, classes); err != nil {
				return nil, err
			}
			read, c = true, classes[text]
		}
		if !ok {
			classes[text] = c // it may be over, or none: do not look again
		}
		for _, limit := range flow.LimitsOn(c.Skill.Name, c.Tenant, c.Key) {
			counts[BucketOf(limit, c.Key)] += min(max(0, n), hive.MaxRunning) // until it is recounted
		}
	}
	return counts, nil
}

// heldClasses reads the classes whose texts are hashes of all tasks that spores hold.
func (b *Broker) heldClasses(ctx context.Context, classes map[string]Class) error {
	nodes, err := b.rdb.SMembers(ctx, b.keys.nodes()).Result()
	if err != nil {
		return b.wrap("read classes", err)
	}
	for _, node := range nodes {
		pipe := b.rdb.Pipeline()
		// A task goes from the queue to the set: in this order none is missed meanwhile.
		queue, own := pipe.LRange(ctx, b.keys.queue(node), 0, -1), pipe.SMembers(ctx, b.keys.own(node))
		if _, err := pipe.Exec(ctx); err != nil {
			return b.wrap("read classes", err)
		}
		records, err := b.records(ctx, append(own.Val(), queue.Val()...))
		if err != nil {
			return b.wrap("read classes", err)
		}
		for _, r := range records {
			c := ClassOf(&r.Task)
			if text, hashed := c.Text(); hashed {
				classes[text] = c
			}
		}
	}
	return nil
}
