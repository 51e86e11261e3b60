package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// The leader's scripts answer these instead of a count.
const (
	leaseHolds = -1
	deposed    = -2
)

// reclaimBatch bounds the ids one script call moves.
const reclaimBatch = 500

// Reclaim takes the tasks of a spore back whose lease ended: those that ran
// have lost an attempt, those still queued nothing. It returns how many were
// moved, 0 while the lease holds.
func (b *Broker) Reclaim(ctx context.Context, term Term, node string) (moved int, err error) {
	lost := packOutcome(&hive.Outcome{Failure: hive.NewFailure(hive.FailLost, "spore "+node+" went away during the attempt")})
	for {
		n, err := b.run(ctx, scriptReclaim, term.fence(), node, b.opts.Lease.Milliseconds(), lost,
			b.opts.Retention.Milliseconds(), reclaimBatch).Int()
		switch {
		case err != nil:
			return moved, b.wrap("reclaim", err)
		case n == deposed:
			return moved, fmt.Errorf("reclaim: %w", hive.ErrNotLeader)
		case n == leaseHolds || n == 0:
			return moved, nil
		}
		moved += n
	}
}

// ExpireGrace is how long after its timeout a spore may still report an attempt
// by itself before the leader takes it back. The spore's clock for it begins
// later, when the skill is prepared.
const ExpireGrace = 30 * time.Second

// Expire takes a running attempt back whose own timeout passed ExpireGrace ago
// although its spore is alive. It reports whether the attempt was taken.
func (b *Broker) Expire(ctx context.Context, term Term, r *hive.Record) (bool, error) {
	overdue := packOutcome(&hive.Outcome{Failure: hive.NewFailure(hive.FailTimeout,
		fmt.Sprintf("spore %s did not end the attempt within %v", r.Node, r.Timeout))})
	n, err := b.run(ctx, scriptExpire, term.fence(), r.ID, r.Attempts, (r.Timeout + ExpireGrace).Milliseconds(),
		overdue, b.opts.Retention.Milliseconds()).Int()
	if err == nil && n == deposed {
		err = hive.ErrNotLeader
	}
	return n == 1, b.wrap("expire "+r.ID, err)
}

// promoteBatch bounds the tasks one promote or lapse moves.
const promoteBatch = 500

// lapseAgain is when a task is looked at again whose attempt runs on after its deadline.
const lapseAgain = time.Minute

// Promote makes scheduled tasks pending whose time has come. next is how long
// until another is due, negative if none is scheduled.
func (b *Broker) Promote(ctx context.Context, term Term) (n int, next time.Duration, err error) {
	return b.moved("promote", b.run(ctx, scriptPromote, term.fence(), promoteBatch))
}

// Lapse makes tasks failed that wait although their deadline has passed. next is how long
// until another deadline, negative if there is none.
func (b *Broker) Lapse(ctx context.Context, term Term) (n int, next time.Duration, err error) {
	return b.moved("lapse", b.run(ctx, scriptLapse, term.fence(), promoteBatch, lapseAgain.Milliseconds(), b.opts.Retention.Milliseconds()))
}

func (b *Broker) moved(what string, cmd *redis.Cmd) (n int, next time.Duration, err error) {
	reply, err := cmd.Int64Slice()
	if err != nil {
		return 0, 0, b.wrap(what, err)
	}
	if len(reply) != 2 {
		return 0, 0, fmt.Errorf("%s: %w", what, hive.ErrNotLeader)
	}
	return int(reply[0]), time.Duration(reply[1]) * time.Millisecond, nil
}
