package ota

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hive-spore/hive/bundle"
)

// How often a Sealer does what.
const (
	SealEvery = time.Hour
	LookEvery = time.Second
	// AssignmentLife is how long a set is good for that no newer one follows.
	AssignmentLife = 24 * time.Hour
)

// SealerOptions make a Sealer. What has a default may be left out.
type SealerOptions struct {
	Repository          *bundle.Repository
	Snapshot, Timestamp []*bundle.Key
	Nexus               *bundle.Key   // signs assignments
	Leads               func() bool   // only one nexus of a hive seals
	Plan                func() Plan   // what is decided now
	Every               time.Duration // default SealEvery; at most half of AssignmentLife
	Look                time.Duration // for new targets; default LookEvery
	Log                 *slog.Logger  // default: silent
}

func (o SealerOptions) validate() error {
	var errs []error
	complain := func(bad bool, text string) {
		if bad {
			errs = append(errs, errors.New("sealer: "+text))
		}
	}
	complain(o.Repository == nil, "repository: missing")
	complain(len(o.Snapshot) == 0 || len(o.Timestamp) == 0, "keys of snapshot and timestamp: missing")
	complain(o.Nexus == nil || o.Nexus.Role != bundle.RoleNexus, "nexus key: missing, or of another role")
	complain(o.Leads == nil || o.Plan == nil, "leads, plan: missing")
	complain(o.Every <= 0 || o.Every > AssignmentLife/2, fmt.Sprintf("every: want more than 0 and at most %s", AssignmentLife/2))
	complain(o.Look <= 0, "look: want more than 0")
	return errors.Join(errs...)
}

// Sealer keeps a repository fresh while its nexus leads: it signs snapshot, timestamp
// and the set of assignments anew before they expire, and at once when something was
// published or decided. Make it with New, then Start and Stop it once.
type Sealer struct {
	o      SealerOptions
	wake   chan struct{}
	cancel context.CancelFunc
	loop   sync.WaitGroup

	// Of the loop alone.
	sealed, signed time.Time // when; zero: it is not known what others did
	list           int64     // the newest list when it was sealed
	generation     int64     // of the set that was signed
	trouble        string    // that was told of
}

// NewSealer checks the options.
func NewSealer(o SealerOptions) (*Sealer, error) {
	if o.Every == 0 {
		o.Every = SealEvery
	}
	if o.Look == 0 {
		o.Look = LookEvery
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Sealer{o: o, wake: make(chan struct{}, 1)}, nil
}

// Start begins to seal.
func (s *Sealer) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.loop.Go(func() { s.run(ctx) })
}

// Stop ends it when what it writes is written. It is safe to call twice.
func (s *Sealer) Stop() {
	if s.cancel != nil {
		s.cancel()
	}
	s.loop.Wait()
}

// Wake has it look now: something was published or decided.
func (s *Sealer) Wake() {
	select {
	case s.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

func (s *Sealer) run(ctx context.Context) {
	tick := time.NewTicker(s.o.Look)
	defer tick.Stop()
	for ctx.Err() == nil {
		s.look(time.Now())
		select {
		case <-tick.C:
		case <-s.wake:
		case <-ctx.Done():
		}
	}
}

// look does what is due. What fails is tried again at the next look, and told of once.
func (s *Sealer) look(now time.Time) {
	if !s.o.Leads() {
		s.sealed, s.signed = time.Time{}, time.Time{}
		return
	}
	trouble := ""
	if err := errors.Join(s.seal(now), s.sign(now)); err != nil {
		trouble = err.Error()
	}
	if trouble != s.trouble && trouble != "" {
		s.o.Log.Warn("cannot seal the repository", "error", trouble)
	}
	s.trouble = trouble
}

// due reports whether what was done at a time is to be done anew. A clock that went
// back makes it so too.
func (s *Sealer) due(done, now time.Time) bool {
	return now.Sub(done) >= s.o.Every || now.Before(done)
}

func (s *Sealer) seal(now time.Time) error {
	list, err := s.o.Repository.Newest() // before it is sealed: a newer one is seen by the next look
	if err != nil || list == s.list && !s.due(s.sealed, now) {
		return err
	}
	if err := s.o.Repository.Seal(s.o.Snapshot, s.o.Timestamp); err != nil {
		return err
	}
	s.sealed, s.list = now, list
	return nil
}

func (s *Sealer) sign(now time.Time) error {
	plan := s.o.Plan()
	if plan.Generation == 0 || plan.Generation == s.generation && !s.due(s.signed, now) {
		return nil
	}
	if err := s.newer(plan.Generation); err != nil {
		return err
	}
	if err := s.o.Repository.Assign(plan.Set(now, AssignmentLife), s.o.Nexus); err != nil {
		return err
	}
	s.signed, s.generation = now, plan.Generation
	return nil
}

// newer refuses to go back behind what this key has signed: spores would not follow,
// and a plan that is older than that has lost something. A set by another key, or one
// that cannot be read, is replaced.
func (s *Sealer) newer(generation int64) error {
	seen, err := s.o.Repository.Assigned(s.o.Nexus.Ed25519())
	if err == nil && seen.Generation > generation {
		return fmt.Errorf("the plan is of generation %d, and %d was signed before: an old plan is back; any decision makes it the newest", generation, seen.Generation)
	}
	return nil
}
