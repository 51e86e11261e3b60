package road

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/bench/road/order"
)

// stand is a party that is set up for one stage, with a server of its own.
type stand struct {
	party
	suite  *suite
	slots  int
	redis  *rig.Redis // nil: NATS
	hive   *rig.Hive  // ours only
	server *rig.Talk  // NATS only
	url    string     // likewise
	dir    string     // likewise: its files
	client *rig.Talk
	worker *rig.Talk // nil: spores, or not started yet

	before int          // tasks that were done to warm up
	queued int          // tasks enqueued
	filled order.Answer // what the client said of the last ones
	polls  float64
	unkill func() bool
}

// setup says what a party has beside its client.
type setup struct {
	slots  int      // of each worker or spore
	spores int      // of a party with a skill
	nexus  bool     // and a native worker, which has begun
	redis  []string // arguments of the redis-server
}

// stand sets a party up. Close it after use.
func (s *suite) stand(ctx context.Context, p party, how setup) (*stand, error) {
	st := &stand{party: p, suite: s, slots: how.slots}
	if err := st.start(ctx, how); err != nil {
		st.close()
		return nil, err
	}
	return st, nil
}

func (st *stand) start(ctx context.Context, how setup) (err error) {
	switch st.peer {
	case ours:
		err = st.startHive(ctx, how)
	case nats:
		err = st.startServer()
	default:
		st.redis, err = rig.StartRedis(how.redis...)
	}
	if err != nil {
		return err
	}
	st.client, err = st.suite.programs.start(st.peer)
	if err != nil {
		return err
	}
	client := st.client
	st.unkill = context.AfterFunc(ctx, func() { // who waits for its answer is told
		client.Kill()
		if st.worker != nil {
			st.worker.Kill()
		}
	})
	return nil
}

func (st *stand) startHive(ctx context.Context, how setup) error {
	skills, err := st.suite.skills(st.party)
	if err != nil {
		return err
	}
	with := rig.Setup{Nexus: how.nexus, Slots: how.slots, Redis: how.redis}
	if st.skill != "" && how.nexus {
		with.Spores = max(1, how.spores)
	}
	if st.hive, err = st.suite.kit.Start(ctx, with, skills...); err == nil {
		st.redis = st.hive.Redis
	}
	return err
}

func (st *stand) startServer() (err error) {
	if st.dir, err = os.MkdirTemp("", "hive-road-"); err != nil {
		return err
	}
	if st.server, err = st.suite.programs.start(st.peer); err != nil {
		return err
	}
	a, err := st.ask(st.server, order.Order{Do: order.Serve, Dir: st.dir})
	st.url = a.URL
	return err
}

// ask gives a program an order and returns its first answer.
func (st *stand) ask(t *rig.Talk, o order.Order) (a order.Answer, err error) {
	if o.NATS = st.url; st.redis != nil {
		o.Redis = st.redis.Addr()
	}
	if err = t.Say(o); err != nil {
		return a, err
	}
	return st.hear(t)
}

func (st *stand) hear(t *rig.Talk) (a order.Answer, err error) {
	if err = t.Hear(&a); err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	return a, err
}

// startWorker starts one that tells when it has done skip tasks, and n.
func (st *stand) startWorker(n, skip int, lags bool) (err error) {
	if st.worker, err = st.suite.programs.start(st.peer); err != nil {
		return err
	}
	o := st.order(order.Work)
	o.Tasks, o.Skip, o.Slots, o.Lags = n, skip, st.slots, lags
	_, err = st.ask(st.worker, o)
	return err
}

// enqueue has the client enqueue tasks.
func (st *stand) enqueue(n, callers, bulk int) (order.Answer, error) {
	o := st.order(order.Enqueue)
	o.Tasks, o.Callers, o.Bulk = n, callers, bulk
	a, err := st.ask(st.client, o)
	st.queued, st.filled = st.queued+n, a
	return a, err
}

// fill enqueues tasks in the fastest way.
func (st *stand) fill(n int) (order.Answer, error) {
	if st.peer == asynq {
		return st.enqueue(n, 50, 0)
	}
	return st.enqueue(n, 1, min(n, bulk[st.peer]))
}

// bulk is how many tasks are enqueued at once.
var bulk = map[string]int{ours: 10_000, bullmq: 500, nats: 10_000}

// check has the client look whether all that it enqueued is done.
func (st *stand) check() error {
	o := st.order(order.Check)
	o.Tasks = st.queued
	_, err := st.ask(st.client, o)
	return err
}

// memory is the bytes that Redis uses.
func (st *stand) memory(ctx context.Context) (float64, error) {
	if st.redis == nil {
		return 0, nil
	}
	return st.redis.Memory(ctx)
}

// completed waits until so many tasks of ours are done, and returns how many are.
func (st *stand) completed(ctx context.Context, n int) (int, error) {
	for {
		done, err := st.redis.Completed(ctx)
		st.polls++
		if err != nil || done >= n {
			return done, err
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			return done, context.Cause(ctx)
		}
	}
}

func (st *stand) close() {
	if st.unkill != nil {
		st.unkill()
	}
	for _, t := range []*rig.Talk{st.client, st.worker, st.server} {
		if t != nil {
			t.Stop()
		}
	}
	switch {
	case st.hive != nil:
		st.hive.Stop()
	case st.redis != nil:
		st.redis.Stop()
	}
	_ = os.RemoveAll(st.dir)
}
