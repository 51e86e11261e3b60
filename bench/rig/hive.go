package rig

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
)

// Setup says which processes a hive has beside its redis-server.
type Setup struct {
	Nexus  bool
	Spores int
	Slots  int // of each spore; 0: its default, one per core
}

// String names the spores: "3 spores × 2 slots".
func (s Setup) String() string {
	plural := "s"
	if s.Spores == 1 {
		plural = ""
	}
	return fmt.Sprintf("%d spore%s × %d slots", s.Spores, plural, s.slots())
}

func (s Setup) slots() int {
	if s.Slots == 0 {
		return runtime.NumCPU()
	}
	return s.Slots
}

// Hive is a hive that runs. Its client is in this process.
type Hive struct {
	Redis  *Redis
	Road   *broker.Broker
	Client *client.Client
	Setup  Setup

	nexus, spores []*proc
}

// readyFor is how long a hive may take to be ready.
const readyFor = 30 * time.Second

// Start starts a hive that has one skill and waits until its nexus leads and its
// spores are online. A second skill would be prepared behind the back of who
// measures the first.
func (k *Kit) Start(ctx context.Context, skill string, setup Setup) (*Hive, error) {
	h := &Hive{Setup: setup}
	if err := k.launch(ctx, h, skill); err != nil {
		h.Stop()
		return nil, err
	}
	return h, nil
}

func (k *Kit) launch(ctx context.Context, h *Hive, skill string) (err error) {
	if h.Redis, err = StartRedis(); err != nil {
		return err
	}
	if h.Road, err = broker.Dial(ctx, broker.Options{Addrs: []string{h.Redis.Addr()}}); err != nil {
		return err
	}
	h.Client = client.New(h.Road, client.Options{})
	offered := k.skills[skill]
	if err := h.Road.Publish(ctx, &offered.Skill, offered.Program); err != nil {
		return err
	}
	if err := k.launchPrograms(h); err != nil {
		return err
	}
	return h.await(ctx)
}

func (k *Kit) launchPrograms(h *Hive) error {
	url := "unix://" + h.Redis.Addr()
	if h.Setup.Nexus {
		p, err := k.start("nexus", "serve", "--redis", url)
		if err != nil {
			return err
		}
		h.nexus = append(h.nexus, p)
	}
	for i := range h.Setup.Spores {
		p, err := k.start("spore", "--redis", url, "--name", fmt.Sprintf("s%d", i+1), "--slots", fmt.Sprint(h.Setup.slots()))
		if err != nil {
			return err
		}
		h.spores = append(h.spores, p)
	}
	return nil
}

// await returns when the hive is ready, or a process of it has ended.
func (h *Hive) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyFor, errors.New("the hive does not become ready"))
	defer cancel()
	for {
		ready, err := h.ready(ctx)
		if err = errors.Join(err, h.Check()); ready || err != nil {
			return err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (h *Hive) ready(ctx context.Context) (bool, error) {
	leader, err := h.Road.Leader(ctx)
	if err != nil || h.Setup.Nexus && leader == "" {
		return false, err
	}
	nodes, err := h.Road.Nodes(ctx)
	return len(nodes) == h.Setup.Spores, err
}

// Check reports a process of the hive that has ended.
func (h *Hive) Check() error {
	var errs []error
	for _, p := range append(h.spores, h.nexus...) {
		errs = append(errs, p.check())
	}
	return errors.Join(errs...)
}

// Stop ends all that Start began, last first.
func (h *Hive) Stop() {
	for _, p := range append(h.spores, h.nexus...) {
		p.stop()
	}
	if h.Client != nil {
		_ = h.Client.Close()
	}
	if h.Road != nil {
		_ = h.Road.Close()
	}
	if h.Redis != nil {
		h.Redis.stop()
	}
}
