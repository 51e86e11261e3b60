package broker

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// KV reads what the effects of completed attempts left in keys.
type KV struct{ b *Broker }

// KV returns the keys of the road.
func (b *Broker) KV() KV { return KV{b} }

// Get returns the value of a key, and whether it has one.
func (kv KV) Get(ctx context.Context, space, key string) (value []byte, found bool, err error) {
	value, err = kv.b.rdb.Get(ctx, kv.b.keys.value(space, key)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, kv.b.wrap("get "+key, err)
	}
	return value, true, nil
}

// List returns at most limit keys of a namespace that begin with prefix and come
// after after, in the order of their bytes. Fewer are all there are.
func (kv KV) List(ctx context.Context, space, prefix, after string, limit int) ([]string, error) {
	var found []string
	for len(found) < limit {
		count := min(max(limit-len(found), minPage), hive.MaxKVList)
		page, live, err := kv.page(ctx, space, prefix, after, count)
		if err != nil {
			return nil, kv.b.wrap("list "+space, err)
		}
		found = append(found, live...)
		if len(page) < count {
			break
		}
		after = page[len(page)-1]
	}
	return found[:max(0, min(limit, len(found)))], nil
}

// minPage is the fewest keys that are read at once: some may have expired.
const minPage = 32

// page reads the next count keys of the index and says which of them hold values.
// The others have expired, and are taken out of it.
func (kv KV) page(ctx context.Context, space, prefix, after string, count int) (page, live []string, err error) {
	b := kv.b
	page, err = b.rdb.ZRangeByLex(ctx, b.keys.index(space), &redis.ZRangeBy{
		Min: pageBegin(prefix, after), Max: pageEnd(prefix), Count: int64(count)}).Result()
	if err != nil || len(page) == 0 {
		return nil, nil, err
	}
	exists := make([]*redis.IntCmd, len(page))
	if _, err := b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range page {
			exists[i] = p.Exists(ctx, b.keys.value(space, key))
		}
		return nil
	}); err != nil {
		return nil, nil, err
	}
	gone := []any{space}
	for i, key := range page {
		if exists[i].Val() == 1 {
			live = append(live, key)
		} else {
			gone = append(gone, key)
		}
	}
	if len(gone) > 1 {
		err = b.run(ctx, scriptUnlist, gone...).Err()
	}
	return page, live, err
}

// pageBegin is the lower bound of ZRANGEBYLEX for keys that begin with prefix and
// come after after. The embedded road takes a bound of only "+" or "-" for the end
// of all keys, whatever stands before it: no bound is written so.
func pageBegin(prefix, after string) string {
	switch {
	case after >= prefix:
		return "[" + after + "\x00"
	case prefix == "+" || prefix == "-":
		return "(" + string(prefix[0]-1) + notUTF8
	}
	return "[" + prefix
}

// pageEnd is the upper bound for keys that begin with prefix.
func pageEnd(prefix string) string { return "(" + prefix + notUTF8 }

// notUTF8 comes after all that can go on in its place: keys are UTF-8.
const notUTF8 = "\xff"
