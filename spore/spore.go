// Package spore is the worker daemon as a value: it fetches tasks from the road,
// runs each attempt in a sandbox of its own, and puts the outcome back.
package spore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/runtime"
)

// Causes an attempt's context ends with.
var (
	errFenced   = errors.New("another attempt, or nobody, holds the task now")
	errReleased = errors.New("the spore is stopping")
)

// Spore is one worker. Make it with New, then Start and Stop it once.
type Spore struct {
	opts    Options
	road    *broker.Broker
	engine  *runtime.Engine
	shelf   *shelf
	bundles *Updater
	http    *hostfuncs.HTTP
	files   *hostfuncs.Files
	tags    hive.Tags
	born    time.Time

	metrics *metrics
	trail   *Trail
	control *control
	seen    seen

	session *broker.Session // set by Start

	life     context.Context // of the loops: ends when the spore leaves
	endLife  context.CancelCauseFunc
	attempts context.Context // of the sandboxes: ends when the grace is over
	endRuns  context.CancelCauseFunc
	loops    sync.WaitGroup
	fetching sync.WaitGroup // the loop that begins attempts
	runs     sync.WaitGroup // the slots, which run attempts

	wake  chan struct{} // the queue may hold something
	slots chan struct{} // one token per free slot
	begun chan *held    // room for one per slot; closed when no attempt begins any more
	beat  chan struct{} // a report is due now
	stock chan struct{} // the shelf changed
	quit  chan struct{} // closed: no attempt begins any more

	trouble    trouble
	missing    map[string]bool // ids the road held here at the last pulse, which were not; the heart's own
	generation atomic.Int64    // of what was announced when the repository was looked at
	stopOnce   sync.Once
	stopErr    error

	mu       sync.Mutex
	held     map[string]*held // by task id
	draining bool
	leaving  bool      // for good
	sampled  time.Time // when cpu and memory were read
	cpu      float64
	memory   float64
}

// held is an attempt that is running here.
type held struct {
	attempt hive.Attempt
	ctx     context.Context
	cancel  context.CancelCauseFunc
}

// New checks the options and makes a spore that is not on the road yet.
func New(o Options) (*Spore, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("spore: %w", err)
	}
	o = o.withDefaults()
	tags := detectTags()
	for key, value := range o.Tags {
		tags[key] = value
	}
	files, err := hostfuncs.OpenFiles(o.Files)
	if err != nil {
		return nil, fmt.Errorf("spore: %w", err)
	}
	engine, err := runtime.New(context.Background(), runtime.Options{
		Admit: o.Admit, CacheDir: o.CacheDir, Host: hostfuncs.Modules(), Careful: true, Pool: o.Pool, Most: o.Most,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("spore: %w", err), files.Close())
	}
	s := &Spore{
		opts: o, road: o.Road, engine: engine, http: hostfuncs.NewHTTP(o.HTTP), files: files, tags: tags, born: time.Now(),
		shelf: newShelf(engine, tags, &o),
		wake:  make(chan struct{}, 1), beat: make(chan struct{}, 1), stock: make(chan struct{}, 1), quit: make(chan struct{}),
		slots: make(chan struct{}, o.Slots), begun: make(chan *held, o.Slots),
		held: map[string]*held{},
	}
	for range o.Slots {
		s.slots <- struct{}{}
	}
	s.metrics = newMetrics(s)
	s.trail = NewTrail(o.Road, o.Name, o.Log)
	s.shelf.trail, s.shelf.proved = s.trail, func() { notify(s.beat) }
	o.Bundles.Repository.Log, o.Bundles.Spore = o.Log, bundle.Spore{ID: o.Name, Tags: tags}
	o.Bundles.Prepare, o.Bundles.Changed, o.Bundles.Audit = s.shelf.prepareAhead, s.offer, s.trail.Bundles
	if s.bundles, err = NewUpdater(o.Bundles); err != nil {
		return nil, errors.Join(fmt.Errorf("spore: %w", err), engine.Close(context.Background()), files.Close())
	}
	s.shelf.source = s.bundles
	if c := &s.opts.Control; c.Keys == nil {
		*c = ControlOptions{Keys: s.bundles.NexusKeys, Update: s.bundles.Hint, State: filepath.Join(o.Bundles.Repository.State, "control"), Audit: s.trail.Tell}
	}
	if s.control, err = newControl(s); err != nil {
		s.bundles.Stop()
		return nil, errors.Join(fmt.Errorf("spore: %w", err), engine.Close(context.Background()), files.Close())
	}
	return s, nil
}

// Name is the spore's id on the road.
func (s *Spore) Name() string { return s.opts.Name }

// Start joins the road and begins to take tasks. It waits for an earlier spore
// of the same name whose lease has not ended yet, as long as a lease lasts.
func (s *Spore) Start(ctx context.Context) error {
	s.life, s.endLife = context.WithCancelCause(context.Background())
	s.attempts, s.endRuns = context.WithCancelCause(context.Background())
	s.shelf.refresh()
	if err := s.join(ctx); err != nil {
		return errors.Join(fmt.Errorf("spore: %w", err), s.close(ctx))
	}
	s.opts.Log.Info("spore online", "spore", s.opts.Name, "slots", s.opts.Slots, "tags", s.tags.String())
	notify(s.stock)
	s.trail.Start()
	s.bundles.Start()
	s.loops.Go(s.heart)
	s.loops.Go(s.listen)
	for range s.opts.Slots {
		s.runs.Go(s.slot)
	}
	s.fetching.Go(s.fetch)
	s.loops.Go(s.warm)
	s.loops.Go(s.control.follow)
	s.loops.Go(s.control.review)
	s.loops.Go(s.tellSeen)
	return nil
}

// close frees what New opened.
func (s *Spore) close(ctx context.Context) error {
	s.bundles.Stop()
	return errors.Join(s.engine.Close(ctx), s.files.Close())
}

// join registers a new incarnation, after the lease of an older one if need be.
func (s *Spore) join(ctx context.Context) error {
	session := &broker.Session{Node: s.opts.Name, Incarnation: hive.NewID()}
	patient := time.Now().Add(s.road.Lease() + time.Second)
	for {
		asked := time.Now() // an older answer says nothing, should this process have stood still since
		err := s.road.Register(ctx, session, s.report())
		if err == nil {
			s.session = session
			return nil
		}
		if !errors.Is(err, hive.ErrTaken) {
			return err
		}
		if asked.After(patient) {
			return fmt.Errorf("%w: choose another --name", err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (s *Spore) report() *hive.NodeReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.sampled) >= hive.HeartbeatEvery/2 {
		s.sampled = now // over a shorter time the load says nothing
		s.cpu, s.memory = load()
	}
	return &hive.NodeReport{
		ID: s.opts.Name, Name: s.opts.Name, CPU: s.cpu, Memory: s.memory,
		Slots: s.opts.Slots, Prefetch: s.opts.Prefetch, Tags: s.tags,
		Skills: s.shelf.ids(), Refused: s.shelf.refusals(), Preparing: s.shelf.preparingNow(), Draining: s.draining, Started: s.born,
		Bundles: s.bundleIDs(),
	}
}

// Drain stops taking tasks and hands the queued ones back; what runs goes on.
func (s *Spore) Drain(ctx context.Context) error {
	s.mu.Lock()
	already := s.draining
	s.draining = true
	s.mu.Unlock()
	if already {
		return nil
	}
	s.opts.Log.Info("draining", "spore", s.opts.Name)
	_, errBeat := s.road.Heartbeat(ctx, s.session, s.report(), true)
	_, errBack := s.road.HandBack(ctx, s.session)
	if errors.Is(errBack, hive.ErrUnregistered) {
		errBack = nil // the queue is another's, or nobody's
	}
	return errors.Join(errBeat, errBack)
}

// Resume takes tasks again after Drain.
func (s *Spore) Resume(ctx context.Context) error {
	s.mu.Lock()
	leaving, draining := s.leaving, s.draining
	s.draining = draining && leaving
	s.mu.Unlock()
	switch {
	case leaving:
		return errReleased
	case !draining:
		return nil
	}
	s.opts.Log.Info("taking tasks again", "spore", s.opts.Name)
	notify(s.wake)
	_, err := s.road.Heartbeat(ctx, s.session, s.report(), true)
	return err
}

// Stop drains the spore, waits for what runs until the grace period or ctx is
// over, hands the rest back, and leaves the road. Only the first call acts.
func (s *Spore) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		if s.session == nil { // it never came online
			s.stopErr = s.close(ctx)
			return
		}
		s.stopErr = s.shutdown(ctx)
	})
	return s.stopErr
}

func (s *Spore) shutdown(ctx context.Context) error {
	s.bundles.Stop()
	s.mu.Lock()
	s.leaving = true
	s.mu.Unlock()
	graced, cancel := context.WithTimeout(ctx, s.opts.Grace)
	defer cancel()
	_ = s.Drain(graced) // what could not be handed back now is when the spore leaves
	close(s.quit)
	s.fetching.Wait()
	close(s.begun)
	s.await(graced)
	s.endRuns(errReleased)
	s.runs.Wait()
	s.endLife(errReleased)
	s.loops.Wait()

	// ctx may be over: leaving takes its own, short time.
	leave, cancelLeave := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancelLeave()
	s.trail.Stop(leave)
	back, errLeave := s.road.Unregister(leave, s.session)
	s.opts.Log.Info("spore offline", "spore", s.opts.Name, "handed_back", back)
	return errors.Join(errLeave, s.free(graced), s.files.Close())
}

// hurry is how long a spore that may not wait any more waits for its sandboxes.
const hurry = 100 * time.Millisecond

// free releases the sandboxes. It waits for a compilation, which cannot be
// interrupted, until ctx ends: then that ends by itself, or with the process.
func (s *Spore) free(ctx context.Context) error {
	freed := make(chan error, 1)
	go func() { freed <- errors.Join(s.engine.Close(context.Background()), s.shelf.close()) }()
	select {
	case err := <-freed:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-freed:
		return err
	case <-time.After(hurry):
		s.opts.Log.Info("left a compilation behind", "spore", s.opts.Name)
		return nil
	}
}

// await returns when nothing runs any more or ctx ends.
func (s *Spore) await(ctx context.Context) {
	for range s.opts.Slots {
		select {
		case <-s.slots:
		case <-ctx.Done():
			return
		}
	}
}
