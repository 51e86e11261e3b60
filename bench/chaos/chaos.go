package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
)

// Options say what is broken, and how long.
type Options struct {
	For     time.Duration
	Seed    uint64
	Profile Profile
	Repo    string // the folder of the repository
	Logs    string // a folder for what the programs say; "": nobody wants it
}

// Validate reports everything that is wrong with the options.
func (o Options) Validate() error {
	var errs []error
	if o.For < 2*every {
		errs = append(errs, fmt.Errorf("--for %v: want at least %v", o.For, 2*every))
	}
	if sorts[o.Profile] == nil {
		errs = append(errs, fmt.Errorf("--profile %q: want %s or %s", o.Profile, Process, Failover))
	}
	return errors.Join(errs...)
}

func (o Options) String() string {
	return fmt.Sprintf("--for %v --seed %d --profile %s", o.For, o.Seed, o.Profile)
}

// Run breaks a hive for some time, and enters what came of it into the report: promises
// that were not kept are its violations.
func Run(ctx context.Context, kit *rig.Kit, o Options, r *report.Report, say func(string)) (err error) {
	if o.Logs != "" {
		if o.Logs, err = filepath.Abs(o.Logs); err != nil {
			return err
		}
		if err := os.MkdirAll(o.Logs, 0o755); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "hive-chaos-") // the path of a socket must be short
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := newStage(o.Profile, folders{dir, o.Logs}, say)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.begin(ctx, kit, o); err != nil {
		return err
	}
	say("breaking it: " + o.String())
	begun := time.Now()
	if err := s.play(ctx, o); err != nil {
		return err
	}
	history, err := s.collect(ctx)
	if err != nil {
		return err
	}
	if o.Profile == Failover && len(history.Windows) == 0 {
		return errors.New("no failover came to pass: nothing is shown")
	}
	for _, v := range history.Check() {
		r.Violations = append(r.Violations, v.Promise+": "+v.What)
	}
	s.conclude(r, o, history, time.Since(begun))
	return nil
}

func newRoad(p Profile, where folders) (road, error) {
	if p == Failover {
		return newSentineled(where)
	}
	return newSingle(where), nil
}

// play has the producers produce while the schedule is followed, mends everything, waits
// for rest and ends the programs.
func (s *stage) play(ctx context.Context, o Options) error {
	p := &producers{seed: o.Seed, server: s.server.URL}
	s.producers = p
	ctx, cancel := context.WithCancel(ctx)
	defer p.calls.Wait() // after cancel
	defer cancel()
	open, closed := context.WithCancel(ctx)
	defer closed()
	if err := p.run(ctx, open, s.road.options()); err != nil {
		return err
	}
	p.calls.Go(func() { p.watch(ctx, s.look) })
	errFaults := s.follow(ctx, Schedule(o.Seed, o.Profile, o.For))
	closed()
	s.say("mending everything")
	if err := errors.Join(errFaults, s.heal(ctx)); err != nil {
		return err
	}
	if err := errors.Join(s.endLimits(ctx), s.endCrons(ctx)); err != nil {
		return err
	}
	s.measuring.Wait()
	s.awaitRest(ctx)
	return s.end(ctx)
}

// errHurt says that nothing was broken: what was before is not mended yet.
var errHurt = errors.New("it is hurt already")

// follow breaks what the schedule says, when it does.
func (s *stage) follow(ctx context.Context, faults []Fault) error {
	begun := time.Now()
	var doing sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, f := range faults {
		if err := rest(ctx, f.At-time.Since(begun)); err != nil {
			errs = append(errs, err)
			break
		}
		s.say(f.String())
		doing.Go(func() {
			err := s.do(ctx, f)
			mu.Lock()
			defer mu.Unlock()
			if !errors.Is(err, errHurt) {
				s.faults[f.Kind]++
			}
			if err != nil && !errors.Is(err, errHurt) && !transient(err) {
				errs = append(errs, fmt.Errorf("%s: %w", f, err))
			}
		})
	}
	doing.Wait()
	return errors.Join(errs...)
}

// transient reports an error that other faults of the same moment explain.
func transient(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || strings.Contains(err.Error(), "LOADING") || strings.Contains(err.Error(), "EOF")
}

// awaitRest waits until nothing waits or runs. What does for ever is in the history.
func (s *stage) awaitRest(ctx context.Context) {
	s.say("waiting until all is at rest")
	var left []string
	err := await(ctx, "rest", func() (bool, error) {
		found, err := s.busy(ctx)
		left = found
		return err == nil && len(found) == 0, nil
	})
	if err != nil {
		leader, err := s.look.Leader(ctx)
		s.say(fmt.Sprintf("not at rest, with leader %q (%v): %s", leader, err, strings.Join(left[:min(len(left), 20)], " ")))
	}
}
