package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/publisher"
	"github.com/hive-spore/hive/nexus/ota"
)

// Setup says which processes a hive has beside its redis-server.
type Setup struct {
	Nexus  bool
	Spores int
	Slots  int // of each spore; 0: its default, one per core

	Redis  []string // arguments of the redis-server; none: it keeps nothing on disk
	Config string   // path of the spores' hive.toml; "": none
	HTTP   bool     // spores ask the nexus for bundles; else they read its folder
}

// String names the spores: "3 spores × 2 slots".
func (s Setup) String() string {
	return many(s.Spores, "spore") + " × " + many(s.slots(), "slot")
}

func many(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func (s Setup) slots() int {
	if s.Slots == 0 {
		return runtime.NumCPU()
	}
	return s.Slots
}

// Hive is a hive that runs. Its client is in this process.
type Hive struct {
	Redis     *Redis
	Road      *broker.Broker
	Client    *client.Client
	Setup     Setup
	Publisher *publisher.Publisher
	State     string // folder for what spores install

	dir           string // keys, repository, and what spores installed
	file          string // the hive.toml of its programs
	listen        string // where the nexus serves the repository; "": nowhere
	skills        int    // that spores are to offer
	nexus, spores []*Process
}

// readyFor is how long a hive may take to be ready.
const readyFor = 30 * time.Second

// Start starts a hive that has these skills alone and waits until its nexus leads and
// its spores are online. A skill more would be prepared behind the back of who
// measures another.
func (k *Kit) Start(ctx context.Context, setup Setup, skills ...Skill) (*Hive, error) {
	h := &Hive{Setup: setup}
	if err := k.launch(ctx, h, skills); err != nil {
		h.Stop()
		return nil, err
	}
	return h, nil
}

func (k *Kit) launch(ctx context.Context, h *Hive, skills []Skill) (err error) {
	if h.Redis, err = StartRedis(h.Setup.Redis...); err != nil {
		return err
	}
	if h.Road, err = broker.Dial(ctx, broker.Options{Addrs: []string{h.Redis.Addr()}}); err != nil {
		return err
	}
	h.Client = client.New(h.Road, client.Options{})
	if err := h.publish(skills); err != nil {
		return err
	}
	if err := k.launchPrograms(h); err != nil {
		return err
	}
	return h.await(ctx)
}

// publish makes keys and a repository with the skills.
func (h *Hive) publish(skills []Skill) (err error) {
	if h.dir, err = os.MkdirTemp("", "hive-bench-"); err != nil {
		return err
	}
	h.State = filepath.Join(h.dir, "state")
	if h.Publisher, _, err = publisher.Make(h.dir); err != nil {
		return err
	}
	for _, s := range skills {
		if _, err := h.Publisher.Register(s.Name, &s.Skill, s.Program, time.Time{}); err != nil {
			return err
		}
	}
	h.skills = len(skills)
	return nil
}

// config writes the hive.toml of all its programs: that of the setup, and where the
// repository is.
func (h *Hive) config() (path string, err error) {
	var text []byte
	if h.Setup.Config != "" {
		if text, err = os.ReadFile(h.Setup.Config); err != nil {
			return "", err
		}
	}
	text = fmt.Appendf(text, "\n[ota]\nrepo = %q\nkeys = %q\nstate_dir = %q\nupdate_every = \"0s\"\n", h.Publisher.Dir, filepath.Join(h.dir, "keys"), h.State)
	if h.Setup.HTTP {
		if h.listen, err = freeAddress(); err != nil {
			return "", err
		}
		text = fmt.Appendf(text, "listen = %q\nurl = %q\n", h.listen, h.Repository())
	}
	path = filepath.Join(h.dir, "hive.toml")
	return path, os.WriteFile(path, text, 0o600)
}

// Repository is where spores find their bundles: a URL or a folder.
func (h *Hive) Repository() string {
	if h.listen == "" {
		return h.Publisher.Dir
	}
	return "http://" + h.listen + ota.Prefix
}

// freeAddress is one of this machine at which nobody listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (k *Kit) launchPrograms(h *Hive) (err error) {
	if h.file, err = h.config(); err != nil {
		return err
	}
	if h.Setup.Nexus {
		if err := k.StartNexus(h); err != nil {
			return err
		}
	}
	for i := range h.Setup.Spores {
		p, err := k.Launch("spore", "--redis", h.url(), "--config", h.file, "--name", fmt.Sprintf("s%d", i+1), "--slots", fmt.Sprint(h.Setup.slots()))
		if err != nil {
			return err
		}
		h.spores = append(h.spores, p)
	}
	return nil
}

// StartNexus starts a nexus that has been stopped, or is the first.
func (k *Kit) StartNexus(h *Hive) error {
	p, err := k.Launch("nexus", "serve", "--redis", h.url(), "--config", h.file)
	if err == nil {
		h.nexus = []*Process{p}
	}
	return err
}

// StopNexus ends the nexus, which hands the lead back: tasks wait until there is one
// again.
func (h *Hive) StopNexus() error {
	for _, p := range h.nexus {
		if err := p.Check(); err != nil {
			return err
		}
		p.Stop()
	}
	h.nexus = nil
	return nil
}

func (h *Hive) url() string {
	if filepath.IsAbs(h.Redis.Addr()) {
		return "unix://" + h.Redis.Addr()
	}
	return "redis://" + h.Redis.Addr()
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
	known, err := h.Road.Skills(ctx)
	if err != nil || h.Setup.Nexus && len(known) < h.skills {
		return false, err
	}
	nodes, err := h.Road.Nodes(ctx)
	for i := range nodes {
		if len(nodes[i].Skills) < h.skills {
			return false, err
		}
	}
	return len(nodes) == h.Setup.Spores, err
}

// Check reports a process of the hive that has ended.
func (h *Hive) Check() error {
	var errs []error
	for _, p := range append(h.spores, h.nexus...) {
		errs = append(errs, p.Check())
	}
	return errors.Join(errs...)
}

// Stop ends all that Start began, last first.
func (h *Hive) Stop() {
	for _, p := range append(h.spores, h.nexus...) {
		p.Stop()
	}
	if h.Client != nil {
		_ = h.Client.Close()
	}
	if h.Road != nil {
		_ = h.Road.Close()
	}
	if h.Redis != nil {
		h.Redis.Stop()
	}
	if h.dir != "" {
		_ = os.RemoveAll(h.dir)
	}
}
