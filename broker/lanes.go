package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// Lane is a list of waiting tasks that are alike for routing.
type Lane struct {
	Name string
	Class
	Priority hive.Priority
	Count    int    // tasks waiting, tombstones of cancelled ones included
	Head     string // id of the first
}

// Bell is what the foreman's doorbell says.
type Bell struct {
	Lanes []LaneBell // lanes that were empty
	Freed bool       // a spore has room again
	Due   bool       // a task was scheduled before all others
	Nodes bool       // a spore came or left
	Flow  bool       // tasks were paused or resumed, or a tenant weighed
	Crons bool       // a cron was added or removed

	Foreign []string // sentences: what a script met that none of ours wrote

	Active map[string]int // how many tasks each spore held when the bell rang; nil: unknown
}

// LaneBell says that a lane got its first tasks.
type LaneBell struct {
	Name  string
	Count int
	Head  string
}

// WaitBell waits up to d for the foreman's doorbell. It is only a hint: the set
// of active lanes is the truth.
func (b *Broker) WaitBell(ctx context.Context, d time.Duration) (Bell, error) {
	var used *redis.MapStringStringCmd
	items, err := b.popDoor(ctx, b.keys.bell(), d, inboxBatch, func(ctx context.Context, pipe redis.Pipeliner) {
		used = pipe.HGetAll(ctx, b.keys.used())
	})
	if err != nil {
		return Bell{}, b.wrap("wait for the bell", err)
	}
	var bell Bell
	if len(items) > 0 && used.Err() == nil {
		bell.Active = numbers(used.Val())
	}
	for _, item := range items {
		switch {
		case item == "F":
			bell.Freed = true
		case item == "D":
			bell.Due = true
		case item == "N":
			bell.Nodes = true
		case item == "P":
			bell.Flow = true
		case item == "C":
			bell.Crons = true
		case strings.HasPrefix(item, "X"):
			bell.Foreign = append(bell.Foreign, item[1:])
		case strings.HasPrefix(item, "L"):
			count, rest, _ := strings.Cut(item[1:], " ")
			head, name, ok := strings.Cut(rest, " ")
			if n, err := strconv.Atoi(count); ok && err == nil {
				bell.Lanes = append(bell.Lanes, LaneBell{name, n, head})
			}
		}
	}
	return bell, nil
}

// ActiveLanes reads every lane that is not empty.
func (b *Broker) ActiveLanes(ctx context.Context) ([]Lane, error) {
	names, err := b.rdb.SMembers(ctx, b.keys.active()).Result()
	if err != nil {
		return nil, b.wrap("list lanes", err)
	}
	if len(names) == 0 {
		return nil, nil
	}
	pipe := b.rdb.Pipeline()
	counts, heads := make([]*redis.IntCmd, len(names)), make([]*redis.StringCmd, len(names))
	for i, name := range names {
		counts[i], heads[i] = pipe.LLen(ctx, b.keys.lane(name)), pipe.LIndex(ctx, b.keys.lane(name), 0)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, b.wrap("list lanes", err)
	}
	lanes := make([]Lane, 0, len(names))
	for i, name := range names {
		lane, err := b.Lane(ctx, name, heads[i].Val())
		if err != nil {
			continue // emptied since, or foreign: it is not ours to route
		}
		lane.Count = int(counts[i].Val())
		lanes = append(lanes, lane)
	}
	return lanes, nil
}

// Lane reads what a lane's name says, with the help of one of its tasks where the
// name is a hash.
func (b *Broker) Lane(ctx context.Context, name, head string) (Lane, error) {
	class, priority, ok := splitLane(name)
	if !ok {
		return Lane{}, fmt.Errorf("%q is not a lane", name)
	}
	lane := Lane{Name: name, Priority: priority, Head: head}
	if !strings.HasPrefix(class, "#") {
		lane.Class, ok = splitClass(class)
		if !ok {
			return Lane{}, fmt.Errorf("%q is not a lane", name)
		}
		return lane, nil
	}
	r, err := b.member(ctx, name, head)
	if err != nil {
		return Lane{}, b.wrap("read lane", err)
	}
	lane.Class = ClassOf(&r.Task)
	return lane, nil
}

// member reads the head task of a lane or, if its record is gone, the first task
// behind it: they are all alike.
func (b *Broker) member(ctx context.Context, name, head string) (*hive.Record, error) {
	const step = 100
	ids := []string{head}
	for at := int64(0); len(ids) > 0; at += step {
		records, err := b.records(ctx, ids)
		if err != nil {
			return nil, err
		}
		if len(records) > 0 {
			return records[0], nil
		}
		if ids, err = b.rdb.LRange(ctx, b.keys.lane(name), at, at+step-1).Result(); err != nil {
			return nil, err
		}
	}
	return nil, hive.ErrNotFound
}
