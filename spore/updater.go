package spore

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/runtime"
)

const (
	// DefaultLook is the time between two looks at a repository without a hint.
	DefaultLook = time.Minute
	// DefaultBetween is the least time between two updates of a bundle.
	DefaultBetween = time.Hour
	// NoWait in [UpdaterOptions.Between] lets every update through.
	NoWait time.Duration = -1

	// hintsApart is the least time between two looks, however many hints there are:
	// they are not signed, and each look is work for the repository.
	hintsApart = 250 * time.Millisecond
)

// UpdaterOptions say where bundles come from, and for whom.
type UpdaterOptions struct {
	// Repository is where the bundles are. Its State is a folder of this updater alone.
	Repository bundle.ClientOptions
	// Spore is whom assignments are for.
	Spore bundle.Spore
	// Look is the time between two looks without a hint; 0: DefaultLook.
	Look time.Duration
	// Between is the least time between two updates of a bundle; 0: DefaultBetween.
	Between time.Duration
	// Prepare is asked about each skill that is new before its bundle is: with an error
	// the bundle stays as it is. Nil: nobody is.
	Prepare func(ctx context.Context, s *hive.Skill, program []byte) error
	// Changed is called when the skills have become others. Nil: nobody is told.
	Changed func()
	// Audit is told what was changed and what was refused, one event at a time. The
	// same refusals, time and again, are told once. Nil: nobody is.
	Audit func(Event)
}

// Event is what an updater did or refused.
type Event struct {
	Time    time.Time
	Err     error        // why something was refused; nil: Running are new
	Reason  string       // one of package bundle's, with Err
	Retry   time.Time    // with bundle.ReasonRateLimited: when it is let through
	Running []bundle.Run // from now on; after a refusal as before
	Before  []bundle.Run // what ran before Running; without Err
}

// Updater has the skills in those bundles that a nexus assigned to this spore and a
// publisher signed. What it decided last is on disk and holds until a
// newer decision is there as a whole. Make it with NewUpdater; Start and Stop it once.
type Updater struct {
	o      UpdaterOptions
	log    *slog.Logger
	now    func() time.Time
	client *bundle.Client
	anchor string // digest of the first root: under another one all begins anew

	running atomic.Pointer[installed]
	hints   chan struct{}

	updating sync.Mutex // guards what follows
	floor    floor
	updated  map[string]time.Time // by bundle: when it became a newer one; zero: never yet
	told     []string             // the refusals that were told last

	life context.Context
	end  context.CancelFunc
	loop sync.WaitGroup
	stop sync.Once
}

// NewUpdater returns an updater that has what was decided last, and asks nobody yet.
func NewUpdater(o UpdaterOptions) (*Updater, error) {
	if err := hive.CheckNodeID(o.Spore.ID); err != nil {
		return nil, fmt.Errorf("updater: %w", err)
	}
	if o.Look == 0 {
		o.Look = DefaultLook
	}
	if o.Between == 0 {
		o.Between = DefaultBetween
	}
	if o.Prepare == nil {
		o.Prepare = func(context.Context, *hive.Skill, []byte) error { return nil }
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Audit == nil {
		o.Audit = func(Event) {}
	}
	u := &Updater{o: o, log: o.Repository.Log, now: o.Repository.Now, anchor: runtime.Digest(o.Repository.Root),
		hints: make(chan struct{}, 1)}
	if u.log == nil {
		u.log = slog.New(slog.DiscardHandler)
	}
	if u.now == nil {
		u.now = time.Now
	}
	u.life, u.end = context.WithCancel(context.Background())
	var err error
	if u.client, err = bundle.NewClient(o.Repository); err != nil {
		return nil, fmt.Errorf("updater: %w", err)
	}
	if err := u.open(); err != nil {
		u.Stop()
		return nil, fmt.Errorf("updater: %w", err)
	}
	return u, nil
}

// Start begins to look at the repository: at once, at every hint, and now and then.
func (u *Updater) Start() {
	u.loop.Go(func() {
		for u.life.Err() == nil {
			_ = u.Update(u.life) // Audit was told
			u.wait()
		}
	})
}

// wait returns when it is time for another look.
func (u *Updater) wait() {
	select {
	case <-time.After(hintsApart):
	case <-u.life.Done():
	}
	look := time.NewTimer(u.o.Look + rand.N(u.o.Look/8+1)) // apart from other spores'
	defer look.Stop()
	select {
	case <-look.C:
	case <-u.hints:
	case <-u.life.Done():
	}
}

// Stop ends looking and waits for that. What it decided can still be read.
func (u *Updater) Stop() {
	u.stop.Do(func() {
		u.end()
		u.loop.Wait()
		u.client.Close()
	})
}

// Hint says that there may be something new. Nothing is believed because of it.
func (u *Updater) Hint() { notify(u.hints) }

// Skills lists every skill the spore may run, in the order of hive.SortSkills.
func (u *Updater) Skills() []hive.Skill { return slices.Clone(u.running.Load().skills) }

// NexusKeys returns the keys that may sign for the nexus, by what was verified last:
// none of metadata that has expired. It asks nobody, so that commands are obeyed while
// the repository is away.
func (u *Updater) NexusKeys(ctx context.Context) ([]ed25519.PublicKey, error) {
	nobody, cancel := context.WithCancel(ctx)
	cancel()
	keys, err := u.client.NexusKeys(nobody)
	if bundle.Reason(err) == bundle.ReasonStopped { // before it began to fetch them
		err = refusal(bundle.ReasonMissing, bundle.NexusKeysTarget, errors.New("the next look at the repository brings it"))
	}
	return keys, err
}

// Running lists the bundle versions that this spore has.
func (u *Updater) Running() []bundle.Run { return slices.Clone(u.running.Load().runs) }

// Program returns the program of a skill that is in a bundle here, or was in one before
// the last change. What the disk lost is fetched again.
func (u *Updater) Program(ctx context.Context, digest string) ([]byte, error) {
	size, known := u.running.Load().sizes[digest]
	if !known {
		return nil, fmt.Errorf("no bundle here has the program %s", hive.Clip(digest, 80))
	}
	return u.blob(ctx, digest, size)
}

func (u *Updater) blob(ctx context.Context, digest string, size int64) ([]byte, error) {
	path, err := u.client.Blob(ctx, digest, size)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// Update looks at the repository once. With an error some of what is assigned was
// refused, and what ran before it does; [bundle.Reason] says why.
func (u *Updater) Update(ctx context.Context) error {
	u.updating.Lock()
	defer u.updating.Unlock()
	before := u.running.Load()
	refused := u.update(ctx)
	if u.running.Load() != before {
		u.log.Info("bundles changed", "spore", u.o.Spore.ID, "running", fmt.Sprint(u.Running()))
		u.tell(Event{Before: slices.Clone(before.runs)})
	}
	u.refuse(refused)
	return errors.Join(refused...)
}

// refuse tells refusals, unless they are those of last time.
func (u *Updater) refuse(refused []error) {
	var texts []string
	for _, err := range refused {
		if bundle.Reason(err) == bundle.ReasonStopped {
			return // the repository has nothing to do with it
		}
		texts = append(texts, err.Error())
	}
	if slices.Equal(texts, u.told) {
		return
	}
	u.told = texts
	for _, err := range refused {
		u.log.Warn("update refused", "spore", u.o.Spore.ID, "reason", bundle.Reason(err), "error", err)
		e := Event{Err: err, Reason: bundle.Reason(err)}
		if early, ok := errors.AsType[*tooEarly](err); ok {
			e.Retry = early.until
		}
		u.tell(e)
	}
}

func (u *Updater) tell(e Event) {
	e.Time, e.Running = u.now().UTC(), u.Running()
	u.o.Audit(e)
}

func (u *Updater) path(name string) string { return filepath.Join(u.o.Repository.State, name) }
