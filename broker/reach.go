package broker

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

const (
	// callFor bounds a call with all its repeats: on a connection that swallows what it
	// is given, one read that waits in vain and one on another connection.
	callFor = 10 * time.Second
	// settled is how long a server must refuse nothing before it counts as back, since one
	// that takes no writes answers reads all the time, and how long it may be silent before
	// it counts as lost.
	settled = 2 * time.Second
)

// errLost is hive.ErrUnreachable where it is the road that is lost to everybody here,
// and not one call that is forbidden.
var errLost = lostError{}

type lostError struct{}

func (lostError) Error() string        { return hive.ErrUnreachable.Error() }
func (lostError) Is(target error) bool { return target == hive.ErrUnreachable }

// refusals are answers of a server that is no road now, by their first word, and what
// to make of them. It may become one again by itself.
var refusals = []struct{ prefix, means string }{
	{"READONLY", "is a replica that takes no writes: name its master, or the sentinels and redis.sentinel_master"},
	{"UNBLOCKED", "became a replica that takes no writes: name its master, or the sentinels and redis.sentinel_master"},
	{"MISCONF", "takes no writes because it cannot write to its disk: see its log"},
	{"NOREPLICAS", "takes no writes because too few replicas are connected (min-replicas-to-write)"},
	{"CLUSTERDOWN", "is a Cluster of which a part is down"},
	{"TRYAGAIN", "is moving our keys to another master of the Cluster"},
	{"BUSY", "is kept busy by a script of somebody"},
}

// noRoad says what a server's answer means for the road, "" if nothing.
func noRoad(err error) string {
	for _, r := range refusals {
		if redis.HasErrorPrefix(err, r.prefix) {
			return r.means
		}
	}
	return ""
}

// reach stands between the road and the Redis client. It bounds every call, however
// silent the server is, and says once that the road is lost and once that it is back.
type reach struct {
	wrap func(what string, err error) error

	mu       sync.Mutex
	log      *slog.Logger // nil: nobody is told
	answered time.Time    // when the server last answered anything
	failed   time.Time    // when it last failed a call, or refused it
	lost     time.Time    // when it had last answered; zero: it is not
	why      string       // what the last refusal means; "" if it does not answer
	err      error        // what is told of it
}

// DialHook implements redis.Hook.
func (r *reach) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (r *reach) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return r.call(ctx, func(ctx context.Context) error { return next(ctx, cmd) })
	}
}

// ProcessPipelineHook implements redis.Hook.
func (r *reach) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return r.call(ctx, func(ctx context.Context) error { return next(ctx, cmds) })
	}
}

func (r *reach) call(ctx context.Context, call func(context.Context) error) error {
	began := time.Now()
	ctx, cancel := context.WithDeadline(ctx, began.Add(callFor))
	defer cancel()
	err := call(ctx)
	r.saw(began, time.Now(), err)
	return err
}

// saw takes what became of a call.
func (r *reach) saw(began, ended time.Time, err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, redis.ErrClosed) || errors.Is(err, net.ErrClosed) {
		return // that says nothing of the server
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	why := noRoad(err)
	silent := err != nil && why == "" && isNetwork(err)
	if !silent {
		r.answered = ended
	}
	since := began
	if late := ended.Add(-settled); isTimeout(err) && late.Before(began) {
		since = late // a call that may take little time is no measure
	}
	switch {
	case why != "" || silent && r.answered.Before(since):
		r.fails(ended, why, err)
	case !silent && !r.lost.IsZero() && (r.why == "" || ended.Sub(r.failed) > settled):
		r.tell(slog.LevelInfo, "the road is back", "after", ended.Sub(r.lost).Round(time.Millisecond))
		r.lost, r.why, r.err = time.Time{}, "", nil
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// fails enters a failure, and tells of it if the road was well, or refuses now what it
// did not answer before.
func (r *reach) fails(now time.Time, why string, err error) {
	news := r.lost.IsZero() || why != "" && why != r.why
	if r.lost.IsZero() {
		r.lost = r.answered
	}
	r.failed, r.why = now, why
	if news {
		r.err = r.wrap("", err)
		r.tell(slog.LevelWarn, "the road is lost: trying until it is back", "error", r.err)
	}
}

func (r *reach) tell(level slog.Level, text string, args ...any) {
	if r.log != nil {
		r.log.Log(context.Background(), level, text, args...)
	}
}

// LogTo has the Broker tell a log from now on when the road is lost and when it is back,
// so that not everybody on it does who tries again and again.
func (b *Broker) LogTo(log *slog.Logger) {
	b.reach.mu.Lock()
	defer b.reach.mu.Unlock()
	b.reach.log = log
}

// Lost says why the road is lost, as far as the calls so far tell; nil: it is not.
func (b *Broker) Lost() error {
	b.reach.mu.Lock()
	defer b.reach.mu.Unlock()
	return b.reach.err
}

// Tells reports whether an error says only that the road is lost, and a log is told that
// already.
func (b *Broker) Tells(err error) bool {
	b.reach.mu.Lock()
	defer b.reach.mu.Unlock()
	return b.reach.log != nil && errors.Is(err, errLost)
}

// Complaint is what an actor on the road cannot do. Its zero value has nothing to say.
type Complaint struct{ said string }

// Tell logs an error once, until there is another one or none.
func (c *Complaint) Tell(b *Broker, log *slog.Logger, text string, err error, args ...any) {
	if err == nil {
		c.said = ""
	} else if said := err.Error(); said != c.said && !b.Tells(err) {
		c.said = said
		log.Warn(text, append(args, "error", err)...)
	}
}
