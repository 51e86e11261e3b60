package embedded

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/publisher"
	"github.com/hive-spore/hive/nexus"
	"github.com/hive-spore/hive/spore"
)

// Options make a Hive.
type Options struct {
	Road broker.Options // no address: a road in memory
	// Listen is where a road in memory can be reached by other programs, if the
	// address is free; default a free port.
	Listen string
	// Private keeps other programs of this machine off the road in memory.
	Private bool
	Log     *slog.Logger  // default: silent
	Spore   spore.Options // its Road, Log and Bundles are filled in
}

// Hive is a whole hive in one process, with keys and a repository of its own in a
// folder that goes when it ends. It keeps nothing on disk but compiled skills.
type Hive struct {
	Road      *broker.Broker
	Nexus     *nexus.Nexus
	Spore     *spore.Spore
	Publisher *publisher.Publisher
	Dir       string // the folder, with keys and repo

	memory *Road // nil on a redis-server
}

// Start runs a nexus and a spore over a road, in memory if none is given.
func Start(ctx context.Context, o Options) (*Hive, error) {
	h := &Hive{}
	if err := h.start(ctx, o); err != nil {
		return nil, errors.Join(err, h.Stop(ctx))
	}
	return h, nil
}

func (h *Hive) start(ctx context.Context, o Options) (err error) {
	if len(o.Road.Addrs) == 0 {
		if h.memory, err = StartRoad(o.Listen, o.Private); err != nil {
			return err
		}
		o.Road.Addrs, o.Road.Password = h.memory.Options().Addrs, h.memory.password
	}
	if h.Road, err = broker.Dial(ctx, o.Road); err != nil {
		return err
	}
	if h.Dir, err = os.MkdirTemp("", "hive-"); err != nil {
		return err
	}
	own, keep, err := publisher.Make(h.Dir)
	if err != nil {
		return err
	}
	h.Publisher = own
	n, err := nexus.New(nexus.Options{Road: h.Road, Log: o.Log, Bundles: keep})
	if err != nil {
		return err
	}
	if err := n.Start(ctx); err != nil {
		return err
	}
	h.Nexus = n
	o.Spore.Road, o.Spore.Log = h.Road, o.Log
	o.Spore.Bundles = spore.UpdaterOptions{Between: spore.NoWait, Repository: bundle.ClientOptions{
		Repository: own.Dir, Root: own.Root, State: filepath.Join(h.Dir, "state"),
	}}
	s, err := spore.New(o.Spore)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	h.Spore = s
	return nil
}

// Register has the spore run a skill, as a bundle of a name, and returns when clients
// know it.
func (h *Hive) Register(ctx context.Context, name string, s *hive.Skill, program []byte) error {
	if _, err := h.Publisher.Register(name, s, program, time.Time{}); err != nil {
		return err
	}
	h.Nexus.Wake()
	ctx, cancel := context.WithTimeoutCause(ctx, listedWithin, errors.New("the nexus that leads on this road is another one, and does not list what is registered here"))
	defer cancel()
	return h.Road.AwaitSkill(ctx, s.ID())
}

// listedWithin is how long the nexus may take to make a skill known.
const listedWithin = 10 * time.Second

// Addr is where the road in memory can be reached, "" if there is none.
func (h *Hive) Addr() string {
	if h.memory == nil {
		return ""
	}
	return h.memory.server.Addr()
}

// Stop ends what Start began, last first. Attempts that run are waited for until
// ctx ends or the spore's grace is over.
func (h *Hive) Stop(ctx context.Context) error {
	var errs []error
	if h.Spore != nil {
		errs = append(errs, h.Spore.Stop(ctx))
	}
	if h.Nexus != nil {
		leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		errs = append(errs, h.Nexus.Stop(leave))
	}
	if h.Road != nil {
		errs = append(errs, h.Road.Close())
	}
	if h.memory != nil {
		h.memory.Close()
	}
	if h.Dir != "" {
		errs = append(errs, os.RemoveAll(h.Dir))
	}
	return errors.Join(errs...)
}
