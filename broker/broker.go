// Package broker is the road: tasks on Redis, moved by scripts that check every
// fence. The foreman decides; the scripts only move tasks.
//
// Each change of a task's state is one script in lua/, one method here with the
// same name, and one row of docs/state-machine.md. Every script may be repeated
// verbatim, because the Redis client repeats a command whose reply was lost.
package broker

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// Options say where the road is and what it keeps.
type Options struct {
	// Addrs are "host:port" or the path of a unix socket. Several addresses mean
	// a Redis Cluster, or with Master the sentinels that know it.
	Addrs  []string
	Master string // name of the master that sentinels watch
	DB     int    // must be 0 on a Cluster

	Username, Password string
	TLS                *tls.Config

	SentinelUsername, SentinelPassword string // of the sentinels, if they want any

	// PasswordNow and SentinelPasswordNow, if there are any, are asked for the password of
	// each new connection in the place of those above: it may have changed.
	PasswordNow, SentinelPasswordNow func() string

	Shard      string        // the hash tag of all keys; default "h"
	Retention  time.Duration // of finished tasks; default hive.DefaultRetention
	Inline     int           // bytes of a payload or result in a record, what is longer stands apart; default hive.DefaultInline
	Recordings int64         // bytes of what is kept of failed attempts in all, the oldest give way; default 64 MiB
	Lease      time.Duration // of a spore that went silent; default hive.Lease
	Channel    string        // name of the control channel; default "hive:broadcast"
}

// ParseURL reads redis://, rediss:// (TLS) and unix:// addresses.
func ParseURL(s string) (Options, error) {
	o, err := redis.ParseURL(s)
	if err != nil {
		return Options{}, fmt.Errorf("redis address %q: %w", redactURL(s), unwrapURL(err))
	}
	return Options{Addrs: []string{o.Addr}, DB: o.DB, Username: o.Username, Password: o.Password, TLS: o.TLSConfig}, nil
}

// redactURL hides a password, also in text that is not a URL.
func redactURL(s string) string {
	if u, err := url.Parse(s); err == nil {
		return u.Redacted()
	}
	if _, rest, found := strings.Cut(s, "@"); found {
		return "…@" + rest
	}
	return s
}

// unwrapURL drops the address from a url.Error: it may hold a password.
func unwrapURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// Validate reports everything that is wrong with the options.
func (o Options) Validate() error {
	var errs []error
	if len(o.Addrs) == 0 {
		errs = append(errs, errors.New("redis: no address"))
	}
	if o.DB != 0 && o.cluster() {
		errs = append(errs, fmt.Errorf("redis: database %d: a Cluster has only database 0", o.DB))
	}
	if strings.ContainsAny(o.Shard, "{}") {
		errs = append(errs, fmt.Errorf("redis: shard %q: braces are not allowed", o.Shard))
	}
	return errors.Join(errs...)
}

// cluster reports whether the road is on a Redis Cluster.
func (o Options) cluster() bool { return len(o.Addrs) > 1 && o.Master == "" }

func (o Options) withDefaults() Options {
	if o.Shard == "" {
		o.Shard = "h"
	}
	if o.Inline == 0 {
		o.Inline = hive.DefaultInline
	}
	o.Inline = min(o.Inline, hive.MaxInline)
	if o.Recordings == 0 {
		o.Recordings = 64 << 20
	}
	if o.Retention == 0 {
		o.Retention = hive.DefaultRetention
	}
	o.Retention = max(o.Retention, time.Minute) // or "already done" becomes "unknown"
	if o.Lease == 0 {
		o.Lease = hive.Lease
	}
	if o.Channel == "" {
		o.Channel = "hive:broadcast"
	}
	return o
}

// Broker is a connection to the road, for any number of goroutines.
type Broker struct {
	opts      Options
	keys      keys
	rdb       redis.UniversalClient
	reach     *reach
	enqueuer  batcher[packed, string]
	completer batcher[completion, int64]
	committer batcher[completion, int64]

	closing sync.Mutex
	closed  *time.Timer // nil: nobody is in a hurry
}

// quiet keeps the Redis client from writing to stderr on its own: every error it
// logs also comes back as a value.
var quiet = sync.OnceFunc(func() { redis.SetLogger(discard{}) })

type discard struct{}

func (discard) Printf(context.Context, string, ...any) {}

// Dial connects to the road and checks that the server answers and is new
// enough. Close the Broker after use.
func Dial(ctx context.Context, o Options) (*Broker, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	b := newBroker(o, o.universal())
	if err := b.check(ctx); err != nil {
		b.rdb.Close()
		return nil, err
	}
	return b, nil
}

func newBroker(o Options, u *redis.UniversalOptions) *Broker {
	quiet()
	b := &Broker{opts: o, keys: newKeys(o.Shard), rdb: redis.NewUniversalClient(u)}
	b.reach = &reach{wrap: b.wrap, answered: time.Now()}
	b.rdb.AddHook(b.reach)
	b.rdb.AddHook(healing{b})
	b.enqueuer = newBatcher(b.flushEnqueue, packed.size)
	b.completer = newBatcher(b.flushComplete, completion.size)
	b.committer = newBatcher(b.flushCommit, completion.size)
	return b
}

// Close ends all connections.
func (b *Broker) Close() error {
	b.closing.Lock()
	defer b.closing.Unlock()
	if b.closed != nil {
		b.closed.Stop()
	}
	if err := b.rdb.Close(); !errors.Is(err, redis.ErrClosed) {
		return err
	}
	return nil // in the time that CloseIn gave
}

// CloseIn ends all connections in a while, also those on which somebody waits then: who
// stops does not wait longer for a server that is silent. The last call counts.
func (b *Broker) CloseIn(d time.Duration) {
	b.closing.Lock()
	defer b.closing.Unlock()
	if b.closed != nil {
		b.closed.Stop()
	}
	b.closed = time.AfterFunc(d, func() { _ = b.rdb.Close() }) // Close says what went wrong
}

// Retention is how long a finished task can be asked for.
func (b *Broker) Retention() time.Duration { return b.opts.Retention }

// Lease is how long a silent spore keeps its tasks.
func (b *Broker) Lease() time.Duration { return b.opts.Lease }

// check pings the server and refuses one older than 7.0. A server that does not
// tell its version (an embedded road, a narrow ACL) is taken at its word.
func (b *Broker) check(ctx context.Context) error {
	if err := b.rdb.Ping(ctx).Err(); err != nil {
		return b.wrap("ping", err)
	}
	info, err := b.rdb.Info(ctx, "server").Result()
	if err != nil {
		return nil
	}
	for line := range strings.Lines(info) {
		if v, found := strings.CutPrefix(strings.TrimSpace(line), "redis_version:"); found && major(v) < 7 {
			return fmt.Errorf("redis at %s is version %s: the hive needs 7.0 or newer", b.where(), v)
		}
	}
	return nil
}

func major(version string) int {
	head, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(head)
	if err != nil {
		return 7 // not a number we know how to judge
	}
	return n
}

func (b *Broker) where() string { return strings.Join(b.opts.Addrs, ",") }

// wrap names what was tried; errors of the connection, and what the server does
// not let its user do at all, become ErrUnreachable.
func (b *Broker) wrap(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, hive.ErrUnreachable):
		return err
	case redis.HasErrorPrefix(err, "HIVEFORMAT"):
		return fmt.Errorf("%s: %s", what, otherFormat(err.Error()))
	case isAuth(err):
		return fmt.Errorf("%w: redis at %s refuses the user name or password (set REDIS_PASSWORD): %v", hive.ErrUnreachable, b.where(), err)
	case isForbidden(err):
		return fmt.Errorf("%w: redis at %s: user %s", hive.ErrUnreachable, b.where(), forbidden(cmp.Or(b.opts.Username, "default"), what, err))
	case redis.HasErrorPrefix(err, "MOVED"): // a Cluster's client follows it
		return fmt.Errorf("%w: redis at %s is one node of a Cluster: name several of them", hive.ErrUnreachable, b.where())
	case errors.Is(err, redis.Nil) && b.opts.Master != "":
		return fmt.Errorf("%w: no sentinel at %s knows a master %q", hive.ErrUnreachable, b.where(), b.opts.Master)
	case isUntrusted(err):
		return fmt.Errorf("%w: redis at %s has a certificate that is not trusted: %v", hive.ErrUnreachable, b.where(), rootCause(err))
	case redis.HasErrorPrefix(err, "OOM"):
		return fmt.Errorf("%s: %w: redis at %s has no memory left (maxmemory)", what, hive.ErrFull, b.where())
	case noRoad(err) != "":
		return fmt.Errorf("%w: redis at %s %s", errLost, b.where(), noRoad(err))
	case isNetwork(err):
		return fmt.Errorf("%w: redis at %s: %v", errLost, b.where(), rootCause(err))
	}
	return fmt.Errorf("%s: %w", what, err)
}

// otherFormat says what "HIVEFORMAT road ours" means: nobody may guess what is written in
// another version's records.
func otherFormat(text string) string {
	road, ours := 0, 0
	fmt.Sscanf(text, "HIVEFORMAT %d %d", &road, &ours)
	if road > ours {
		return fmt.Sprintf("the road is of format %d, which this version does not know (it knows %d): update this program", road, ours)
	}
	return fmt.Sprintf("the road is of format %d, which this version does not know any more (it knows %d): "+
		"use the version before, or a road that is empty", road, ours)
}

func isAuth(err error) bool {
	for _, prefix := range []string{"WRONGPASS", "NOAUTH", "ERR AUTH", "ERR invalid password"} {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}

// isForbidden also knows how Redis says that a script did what its caller may not:
// 7.0 with the first text, later ones with the second.
func isForbidden(err error) bool {
	return redis.HasErrorPrefix(err, "NOPERM") || inScript(err)
}

func inScript(err error) bool {
	text := err.Error()
	return strings.Contains(text, "The user executing the script can't ") || strings.Contains(text, "ACL failure in script")
}

// forbidden says what an ACL keeps a user from; the server quotes the command.
func forbidden(user, what string, err error) string {
	if inScript(err) {
		return fmt.Sprintf("%s may not %s: its ACL refuses a key or command of the script", user, what)
	}
	_, rest, _ := strings.Cut(err.Error(), " run the '")
	if command, _, found := strings.Cut(rest, "'"); found {
		return fmt.Sprintf("%s may not run %s", user, strings.ToUpper(command))
	}
	return fmt.Sprintf("%s: %v", user, err)
}

func isUntrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

func isNetwork(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, redis.ErrClosed) ||
		errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, redis.ErrPoolTimeout) || redis.HasErrorPrefix(err, "LOADING") ||
		redis.HasErrorPrefix(err, "MASTERDOWN") || strings.Contains(err.Error(), "all sentinels")
}

// rootCause drops the layers that repeat the address.
func rootCause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	if errors.Is(err, redis.ErrClosed) {
		return errors.New("closed before it answered")
	}
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return cert.Err
	}
	return err
}
