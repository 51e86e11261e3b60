package chaos

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// prefix begins every key of the hive.
const prefix = "{h}:"

// counted begins the keys in which tasks count.
var counted = "kv:" + hive.KVSpace(tally, "") + ":"

// shared is the key of all.
const shared = "shared"

// collect reads the history of a run that is over.
func (s *stage) collect(ctx context.Context) (h *History, err error) {
	p := s.producers
	h = &History{Said: p.said, Windows: s.road.windows(), Ends: map[string]End{}, Counts: map[string]int64{},
		Plain: map[string]bool{}, Retries: map[string]int{}, Fell: s.fell,
		Held: p.held, Crons: append(p.crons, s.steady), Limits: limits, Freed: s.freed}
	if h.Windows == nil { // else an attempt's number may be given out again
		h.Ran = s.told.attempts
	}
	for _, w := range p.asked {
		if err := s.collectEnd(ctx, h, w); err != nil {
			return nil, err
		}
	}
	if err := s.collectMade(ctx, h); err != nil {
		return nil, err
	}
	if h.Stats, err = s.look.Stats(ctx); err != nil {
		return nil, err
	}
	if h.Keys, err = s.keys(ctx); err != nil {
		return nil, err
	}
	return h, s.collectCounts(ctx, h)
}

// collectEnd reads how a task ended, and its child if it may have one.
func (s *stage) collectEnd(ctx context.Context, h *History, w *work) error {
	h.Plain[w.ID], h.Retries[w.ID] = !w.counts, w.Retries
	end, there, err := s.endOf(ctx, w.ID)
	if err != nil {
		return err
	}
	if w.spawns {
		id := hive.DerivedID(w.ID, 0)
		child, born, err := s.endOf(ctx, id)
		if err != nil {
			return err
		}
		if born {
			h.Ends[id] = child
		}
		if born || end.State == hive.Completed {
			end.Children = []string{id}
		}
	}
	if there || len(end.Children) > 0 {
		h.Ends[w.ID] = end
	}
	if w.shares && end.State == hive.Completed {
		h.Sharing++
	}
	return nil
}

func (s *stage) endOf(ctx context.Context, id string) (end End, there bool, err error) {
	r, err := s.look.Status(ctx, id)
	if errors.Is(err, hive.ErrNotFound) {
		return End{}, false, nil
	}
	if err != nil {
		return End{}, false, err
	}
	end = End{State: r.State, Attempts: r.Attempts, Failures: r.Failures, Tenant: r.Tenant, Created: r.Created, Started: r.Started,
		Finished: r.Finished, Deadline: r.Deadline, Failure: r.Failure, Unique: r.Unique, UniqueFor: r.UniqueFor, Cron: r.Key}
	if r.State == hive.Completed {
		end.By, _ = strconv.Atoi(string(r.Result))
	}
	return end, true, nil
}

// collectMade reads the tasks that crons made, which have ids that nobody has been told.
func (s *stage) collectMade(ctx context.Context, h *History) error {
	var made []string
	err := s.look.Tasks(ctx, func(r *hive.Record) bool {
		if r.Key != "" {
			made = append(made, r.ID)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, id := range made {
		if h.Ends[id], _, err = s.endOf(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// keys are all that stand in Redis, without the prefix.
func (s *stage) keys(ctx context.Context) (keys []string, err error) {
	scan := s.raw.Scan(ctx, 0, prefix+"*", 1000).Iterator()
	for scan.Next(ctx) {
		keys = append(keys, strings.TrimPrefix(scan.Val(), prefix))
	}
	return keys, scan.Err()
}

// collectCounts reads the keys in which tasks count.
func (s *stage) collectCounts(ctx context.Context, h *History) error {
	for _, key := range h.Keys {
		id, is := strings.CutPrefix(key, counted)
		if !is {
			continue
		}
		n, err := s.raw.Get(ctx, prefix+key).Int64()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		if id == shared {
			h.Shared = n
		} else {
			h.Counts[id] = n
		}
	}
	return nil
}

// busy are the keys that stand only while something waits or runs.
func (s *stage) busy(ctx context.Context) (found []string, err error) {
	keys, err := s.keys(ctx)
	for _, key := range keys {
		if !rests(key) {
			found = append(found, key)
		}
	}
	return found, err
}
