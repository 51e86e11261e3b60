package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

const (
	// seenFor is how long what a spore has seen is kept, and what is said of rollouts.
	seenFor = time.Minute
	// seenBatch is how many reports are read at once.
	seenBatch = 64
	// maxRollouts bounds what is said of all rollouts, in bytes.
	maxRollouts = 256 << 10
)

// ReportSeen leaves what a spore has seen of its skills, the encoding of a hive.Seen,
// where the nexus looks for a minute.
func (b *Broker) ReportSeen(ctx context.Context, s *Session, body []byte) error {
	if len(body) > hive.MaxSeen {
		return fmt.Errorf("report what was seen: %d bytes, at most %d allowed: %w", len(body), hive.MaxSeen, hive.ErrTooLarge)
	}
	return b.wrap("report what was seen", b.rdb.Set(ctx, b.keys.seen(s.Node), body, seenFor).Err())
}

// SeenReports returns the last report of each of these spores that has one. What is in
// them is the spores' word.
func (b *Broker) SeenReports(ctx context.Context, nodes []string) (map[string][]byte, error) {
	reports := map[string][]byte{}
	for len(nodes) > 0 {
		n := min(len(nodes), seenBatch)
		if err := b.readSeen(ctx, nodes[:n], reports); err != nil {
			return nil, b.wrap("read what was seen", err)
		}
		nodes = nodes[n:]
	}
	return reports, nil
}

func (b *Broker) readSeen(ctx context.Context, nodes []string, reports map[string][]byte) error {
	found := make([]*redis.StringCmd, len(nodes))
	if _, err := b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, node := range nodes {
			found[i] = p.GetRange(ctx, b.keys.seen(node), 0, hive.MaxSeen)
		}
		return nil
	}); err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return err
	}
	for i, node := range nodes {
		body, err := found[i].Bytes()
		switch {
		case redis.HasErrorPrefix(err, "WRONGTYPE"): // a spore may put anything there
		case err != nil:
			return err
		case len(body) > 0 && len(body) <= hive.MaxSeen:
			reports[node] = body
		}
	}
	return nil
}

// SetRollouts says for a minute what the nexus that leads sees of rollouts. It returns
// hive.ErrNotLeader when another nexus has taken the lead.
func (b *Broker) SetRollouts(ctx context.Context, term Term, body []byte) error {
	if len(body) > maxRollouts {
		return fmt.Errorf("tell of rollouts: %d bytes, at most %d allowed: %w", len(body), maxRollouts, hive.ErrTooLarge)
	}
	n, err := b.run(ctx, scriptShow, term.fence(), body, seenFor.Milliseconds()).Int()
	if err == nil && n == deposed {
		return fmt.Errorf("tell of rollouts: %w", hive.ErrNotLeader)
	}
	return b.wrap("tell of rollouts", err)
}

// Rollouts returns what the nexus that leads said of rollouts within the last minute;
// nil if it said nothing.
func (b *Broker) Rollouts(ctx context.Context) ([]byte, error) {
	body, err := b.rdb.GetRange(ctx, b.keys.rollouts(), 0, maxRollouts).Bytes()
	if err != nil || len(body) == 0 || len(body) > maxRollouts {
		return nil, b.wrap("read what is told of rollouts", err)
	}
	return body, nil
}
