package ota

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

// How often a Keeper does what.
const (
	SealEvery = time.Hour
	LookEvery = 100 * time.Millisecond
	// confirmEvery is how often it is made sure that what was announced is still there.
	confirmEvery = time.Minute
	// AssignmentLife is how long a set is good for that no newer one follows.
	AssignmentLife = 24 * time.Hour
)

// KeeperOptions make a Keeper. What has a default may be left out.
type KeeperOptions struct {
	Repository          *bundle.Repository
	Desk                *Desk
	Snapshot, Timestamp []*bundle.Key
	Nexus               *bundle.Key       // signs assignments
	Ring                *Ring             // where newer ones of these appear; nil: nowhere
	Audit               func(audit.Entry) // default: nobody is told
	Every               time.Duration     // default SealEvery; at most half of AssignmentLife
	Look                time.Duration     // for new targets and decisions; default LookEvery
	Log                 *slog.Logger      // default: silent
}

func (o KeeperOptions) validate() error {
	var errs []error
	complain := func(bad bool, text string) {
		if bad {
			errs = append(errs, errors.New("keeper: "+text))
		}
	}
	complain(o.Repository == nil || o.Desk == nil, "repository, desk: missing")
	complain(len(o.Snapshot) == 0 || len(o.Timestamp) == 0, "keys of snapshot and timestamp: missing")
	complain(o.Nexus == nil || o.Nexus.Role != bundle.RoleNexus, "nexus key: missing, or of another role")
	complain(o.Every <= 0 || o.Every > AssignmentLife/2, fmt.Sprintf("every: want more than 0 and at most %s", AssignmentLife/2))
	complain(o.Look <= 0, "look: want more than 0")
	return errors.Join(errs...)
}

// Keeper keeps a repository fresh while its nexus leads: it signs snapshot, timestamp
// and the set of assignments anew before they expire, and at once when something was
// published or decided; and it makes that known.
type Keeper struct {
	o    KeeperOptions
	wake chan struct{}

	// Of the term that runs.
	desk           *Desk
	sealed, signed time.Time // when; zero: it is not known what others did
	list           int64     // the newest list when it was sealed
	generation     int64     // of the set that was signed
	announced      string    // list and generation that are known
	told           time.Time // when they were made known, or seen to be
	trouble        string    // that was told of

	listed  map[string]string // digests of targets by name, of that list
	bundles map[bundle.Ref]*bundle.Bundle
}

// NewKeeper checks the options.
func NewKeeper(o KeeperOptions) (*Keeper, error) {
	if o.Every == 0 {
		o.Every = SealEvery
	}
	if o.Look == 0 {
		o.Look = LookEvery
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Audit == nil {
		o.Audit = func(audit.Entry) {}
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Keeper{o: o, wake: make(chan struct{}, 1)}, nil
}

// Wake has it look now: something was published or decided.
func (k *Keeper) Wake() {
	select {
	case k.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// Announce makes known what skills there are, and that there is something new for
// spores to fetch; again: only if that was lost.
type Announce func(ctx context.Context, skills []hive.Skill, again bool) error

// Lead keeps the repository until ctx ends, as the term that a desk is of. One term at a
// time.
func (k *Keeper) Lead(ctx context.Context, desk *Desk, announce Announce) {
	k.desk = desk
	k.sealed, k.signed, k.announced, k.trouble = time.Time{}, time.Time{}, "", ""
	k.bundles = map[bundle.Ref]*bundle.Bundle{}
	tick := time.NewTicker(k.o.Look)
	defer tick.Stop()
	for ctx.Err() == nil {
		k.look(ctx, time.Now(), announce)
		select {
		case <-tick.C:
		case <-k.wake:
		case <-ctx.Done():
		}
	}
}

// look does what is due. What fails is tried again at the next look, and told of once.
func (k *Keeper) look(ctx context.Context, now time.Time, announce Announce) {
	trouble := ""
	if err := k.keep(ctx, now, announce); err != nil && ctx.Err() == nil {
		trouble = err.Error()
	}
	if trouble != k.trouble && trouble != "" {
		k.o.Log.Warn("cannot keep the repository", "error", trouble)
	}
	k.trouble = trouble
}

func (k *Keeper) keep(ctx context.Context, now time.Time, announce Announce) error {
	errKeys := k.rekey()
	if !k.o.Repository.Stands() { // somebody removed a file: nobody is to wait an hour for it
		k.sealed, k.signed = time.Time{}, time.Time{}
	}
	plan, err := k.plan(now) // before it is sealed: what is decided was published before
	errSeal := k.seal(now)
	if err == nil {
		err = k.sign(plan, now)
	}
	if err := errors.Join(errSeal, err); err != nil {
		return errors.Join(errKeys, err)
	}
	return errors.Join(errKeys, k.announce(ctx, now, plan, announce))
}

// rekey takes the keys that are in the place of others now, and has them sign at once.
func (k *Keeper) rekey() error {
	if k.o.Ring == nil {
		return nil
	}
	_, err := k.o.Ring.Look()
	if keys := k.o.Ring.Keys(); keys.Nexus != k.o.Nexus { // read anew, all of them
		k.o.Snapshot, k.o.Timestamp, k.o.Nexus = keys.Snapshot, keys.Timestamp, keys.Nexus
		k.sealed, k.signed = time.Time{}, time.Time{}
		k.o.Log.Info("the keys of the repository are others", "nexus", keys.Nexus.ID())
	}
	return err
}

// plan is what is decided now.
func (k *Keeper) plan(now time.Time) (Plan, error) {
	plan, err := k.desk.Load()
	if err != nil {
		return plan, err
	}
	if _, told := plan.Expire(now); len(told) == 0 {
		return plan, nil
	}
	var over []audit.Entry
	plan, _, err = k.desk.Change(func(p Plan) (Plan, audit.Entry, error) {
		p, over = p.Expire(now)
		return p, audit.Entry{}, nil
	})
	if err != nil {
		return plan, err // nothing came to pass
	}
	for _, e := range over {
		k.o.Audit(e)
	}
	return plan, nil
}

// due reports whether what was done at a time is to be done anew. A clock that went
// back makes it so too.
func (k *Keeper) due(done, now time.Time) bool {
	return now.Sub(done) >= k.o.Every || now.Before(done)
}

func (k *Keeper) seal(now time.Time) error {
	list, err := k.o.Repository.Newest() // before it is sealed: a newer one is seen by the next look
	if err != nil || list == k.list && !k.due(k.sealed, now) {
		return err
	}
	if err := k.o.Repository.Seal(k.o.Snapshot, k.o.Timestamp); err != nil {
		return err
	}
	if k.listed, err = k.o.Repository.Targets(); err != nil {
		return err
	}
	k.sealed, k.list = now, list
	return nil
}

func (k *Keeper) sign(plan Plan, now time.Time) error {
	if plan.Generation == 0 {
		plan.Generation = 1 // spores are told that there is nothing to run yet
	}
	if plan.Generation == k.generation && !k.due(k.signed, now) {
		return nil
	}
	if err := k.desk.assign(plan.Set(now, AssignmentLife), k.o.Nexus); err != nil {
		return err
	}
	k.signed, k.generation = now, plan.Generation
	return nil
}

// announce makes a list or a set known that was not before, and now and then what may
// have been lost on the road.
func (k *Keeper) announce(ctx context.Context, now time.Time, plan Plan, announce Announce) error {
	news := fmt.Sprint(k.list, plan.Generation)
	again := news == k.announced
	if again && now.Sub(k.told) < confirmEvery && !now.Before(k.told) {
		return nil
	}
	skills, err := k.catalogue(plan)
	if err != nil {
		return err
	}
	if err := announce(ctx, skills, again); err != nil {
		return err
	}
	k.announced, k.told = news, now
	return nil
}

// catalogue lists the skills of all bundles that some spore is to run. Those that the
// publisher took off the list since are left out: nobody installs them any more.
func (k *Keeper) catalogue(plan Plan) (skills []hive.Skill, err error) {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(plan.Bundles)) {
		for _, ref := range plan.Bundles[name].refs() {
			if k.listed[bundle.Listed{Name: name, Version: ref.Version}.TargetName()] != ref.Digest {
				continue
			}
			b, err := k.bundle(name, ref)
			if err != nil {
				return nil, err
			}
			for _, s := range b.Skills {
				if id := s.ID().String(); !seen[id] {
					seen[id] = true
					skills = append(skills, s)
				}
			}
		}
	}
	return skills, nil
}

// refs are the versions that some spore is to run.
func (l Line) refs() (refs []bundle.Ref) {
	for _, a := range l.assignments("") {
		for _, ref := range []*bundle.Ref{{Version: a.Version, Digest: a.Digest}, a.Previous} {
			if ref != nil && !slices.Contains(refs, *ref) {
				refs = append(refs, *ref)
			}
		}
	}
	slices.SortFunc(refs, func(a, b bundle.Ref) int { return strings.Compare(a.Version, b.Version) })
	return refs
}

func (k *Keeper) bundle(name string, ref bundle.Ref) (*bundle.Bundle, error) {
	if b := k.bundles[ref]; b != nil {
		return b, nil
	}
	b, err := k.o.Repository.Stored(name, ref)
	if err != nil {
		return nil, err
	}
	k.bundles[ref] = b
	return b, nil
}
