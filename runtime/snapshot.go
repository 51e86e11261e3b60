package runtime

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/hive-spore/hive"
)

// snapshot is a skill's program, started: what each of its attempts begins with.
type snapshot struct {
	image image
	state []uint64
}

// close releases it, after its instances. There may be none.
func (s *snapshot) close() error {
	if s == nil {
		return nil
	}
	return s.image.close()
}

// startWithin bounds the start of a program, before any attempt.
const startWithin = 10 * time.Second

// errStart ends a start that takes too long.
var errStart = errors.New("does not finish starting")

// prepareSnapshot starts the program once, warmed up if that was asked for and
// works, and keeps what it became. A program that cannot be started before its
// attempts are known starts with each of them.
func (s *Skill) prepareSnapshot(ctx context.Context) error {
	cold := s.coldBecause()
	if cold == "" {
		s.snapshot, cold = s.snapWarm(ctx)
	}
	if s.snapshot == nil {
		var err error
		s.snapshot, err = s.snap(ctx, false)
		_, refused := errors.AsType[*Refusal](err)
		switch {
		case errors.Is(err, errStart):
			return refuse("cannot be started: it takes more than %v", s.engine.startWithin)
		case refused:
			return refuse("cannot be started: %s", plain(err.Error(), 3*maxName))
		case err != nil:
			s.info.Reason = "starting it before an attempt fails: " + plain(err.Error(), 3*maxName)
			return nil
		}
	}
	s.pool.begin()
	s.info.Warmup = cold
	s.info.Mode, s.info.Reason = ModeRestored, "all of its state can be restored ("+s.snapshot.image.how()+")"
	s.info.Snapshot = int64(s.snapshot.image.size())
	return nil
}

func (s *Skill) snapWarm(ctx context.Context) (*snapshot, string) {
	snapshot, err := s.snap(ctx, true)
	if err != nil {
		return nil, "no: the example fails: " + plain(err.Error(), 3*maxName)
	}
	return snapshot, "yes"
}

// coldBecause says why there is no warm-up call, or "".
func (s *Skill) coldBecause() string {
	switch m := &s.manifest; {
	case s.info.Contract != hive.ContractReactor:
		return "no: a " + string(s.info.Contract) + " begins anew with each attempt"
	case m.Warmup != nil && !*m.Warmup:
		return "no: the manifest says so"
	case len(m.Example) == 0:
		return "no: the manifest has no example input"
	}
	return ""
}

// snap starts an instance, calls it if it is to be warm, and saves it.
func (s *Skill) snap(ctx context.Context, warm bool) (*snapshot, error) {
	a := s.frozen(ctx)
	defer a.over()
	i, err := s.instantiate(a, heap{})
	if err != nil {
		return nil, err
	}
	defer i.close()
	a.enter(i)
	defer a.leave()
	if err := i.begin(a, s.program.prepared, s.info.Contract); err != nil {
		return nil, a.reason(i, err)
	}
	if a.spoke { // what it was given is the attempt's, and gone with it
		return nil, errors.New("it calls " + extismModule)
	}
	if warm {
		if f := a.invoke(i); f != nil {
			return nil, fmt.Errorf("%s", f.Message)
		}
	}
	saved := &snapshot{image: s.engine.newImage(i.memory.bytes)}
	for _, g := range i.state {
		saved.state = append(saved.state, g.Get())
	}
	return saved, nil
}

// frozen returns an attempt in a world that is a function of the program's
// digest, so that every spore starts its attempts with the same bytes. Nothing
// it says or does is kept, and its sleeps take no time.
func (s *Skill) frozen(ctx context.Context) *attempt {
	a := s.attempt(ctx, Call{Payload: s.manifest.Example, Log: NewLog(0)}, s.engine.startWithin)
	a.fuel = math.MaxInt64
	a.World = &frozen{946684800e9, rand.NewChaCha8(sha256.Sum256([]byte(s.info.Digest)))} // 2000-01-01
	a.timedOut = errStart
	return a
}

// frozen is that world.
type frozen struct {
	now int64 // ns since 1970
	*rand.ChaCha8
}

// Realtime implements World.
func (f *frozen) Realtime() int64 {
	f.now += 1000
	return f.now
}

// Monotonic implements World.
func (f *frozen) Monotonic() int64 { return f.Realtime() }

// Sleep implements World.
func (f *frozen) Sleep(d time.Duration) time.Duration {
	f.now += int64(d)
	return 0
}

// next returns an instance that is as the snapshot was.
func (s *Skill) next(ctx context.Context) (*instance, error) {
	in, err := s.snapshot.image.space(min(uint64(s.info.Limits.Memory), uint64(s.program.prepared.Memory.Max)*pageSize))
	if err != nil {
		return nil, err
	}
	i, err := s.instantiate(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := i.adopt(s.snapshot); err != nil {
		i.close()
		return nil, err
	}
	return i, nil
}

// adopt makes a new instance what the snapshot was.
func (i *instance) adopt(s *snapshot) error {
	size := s.image.size()
	if missing := size - uint64(len(i.memory.bytes)); missing > 0 {
		if _, ok := i.module.Memory().Grow(uint32(missing / pageSize)); !ok {
			return fmt.Errorf("no memory of %d bytes", size)
		}
	}
	i.memory.begin, i.snapshot, i.ready, i.touched = size, s, true, true
	if !i.restore() {
		return fmt.Errorf("cannot restore a new instance")
	}
	return nil
}
