package ota

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/spore"
)

const spreadTable = "Published: from before it is signed until each of the spores, all in one process, has installed it and runs it.\n" +
	"Signed in: of that, until it lies in the repository. After: since then. Offered: until the road knows it of all."

// patience is how long a version may take to all spores.
const patience = time.Minute

// crowd is spores that a version goes to.
type crowd struct {
	skill  string
	spores int
	coded  bool // the code is compiled already
	memory bool // what they install is kept in memory, as if each had a disk of its own
}

func (c crowd) row() string {
	text := "compiled before"
	if !c.coded {
		text = "compiled by the spore"
	}
	if c.memory {
		text += ", state in memory"
	}
	return fmt.Sprintf("%s to %d, %s", c.skill, c.spores, text)
}

func (s *suite) crowds() []crowd {
	return []crowd{
		{rig.Noop, s.size.Spores, true, false}, {rig.Noop, s.size.Spores, true, true},
		{rig.Noop, 1, true, false}, {rig.Noop, 1, false, false},
		{rig.Wordcount, 1, true, false}, {rig.Wordcount, 1, false, false},
	}
}

// memory is where Linux keeps files in memory.
const memory = "/dev/shm"

// state is a folder for what a crowd installs.
func (c crowd) state(h *rig.Hive) (string, error) {
	if c.memory {
		return os.MkdirTemp(memory, "hive-bench-")
	}
	return h.State, os.MkdirAll(h.State, 0o700)
}

func (s *suite) spread(c crowd) stage {
	return stage{"published: " + c.row(), func(ctx context.Context) error {
		skill := s.kit.Skill(c.skill)
		h, err := s.kit.Start(ctx, rig.Setup{Nexus: true, HTTP: true}, skill.Version(0))
		if err != nil {
			return err
		}
		defer h.Stop()
		state, err := c.state(h)
		if err != nil {
			return err
		}
		defer os.RemoveAll(state)
		w := &swarm{hive: h, kit: s.kit, state: state, changed: make(chan change, 4*c.spores)}
		defer w.stop()
		if err := w.start(ctx, c.spores); err != nil {
			return err
		}
		if err := w.await(ctx, version(0), nil); err != nil {
			return err
		}
		n := s.size.Publishes
		if !c.coded {
			n = min(n, 3)
		}
		if err := s.publishes(ctx, w, skill, c, n); err != nil {
			return err
		}
		return h.Check()
	}}
}

func (s *suite) publishes(ctx context.Context, w *swarm, skill rig.Skill, c crowd, n int) error {
	var took, after, signed, offered []time.Duration
	for i := range n {
		// At any time of the nexus' and of the spores' own.
		time.Sleep(700*time.Millisecond + rand.N(300*time.Millisecond))
		if !c.coded {
			if err := s.kit.ForgetCode(); err != nil {
				return err
			}
		}
		next := skill.Version(i + 1)
		begun := time.Now()
		if _, err := w.hive.Publisher.Register(next.Name, &next.Skill, next.Program, time.Time{}); err != nil {
			return err
		}
		done := time.Now()
		signed = append(signed, done.Sub(begun))
		if err := w.await(ctx, next.Skill.Version, func(at time.Time) {
			took, after = append(took, at.Sub(begun)), append(after, at.Sub(done))
		}); err != nil {
			return err
		}
		if err := offers(ctx, w.hive.Road, next.ID(), len(w.spores)); err != nil {
			return err
		}
		offered = append(offered, time.Since(begun))
	}
	s.report.Add(spreadTable, c.row(), append(report.Latency(took),
		report.Figure{Column: "max ms", Value: ms(slices.Max(took))},
		report.Figure{Column: "signed in ms", Value: ms(report.Quantile(signed, 0.5))},
		report.Figure{Column: "after, p99 ms", Value: ms(report.Quantile(after, 0.99))},
		report.Figure{Column: "offered, max ms", Value: ms(slices.Max(offered))})...)
	return nil
}

// offers returns when as many spores as are wanted offer a skill.
func offers(ctx context.Context, road *broker.Broker, id hive.SkillID, want int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s is not offered by %d spores", id, want))
	defer cancel()
	for {
		nodes, err := road.Nodes(ctx)
		if err != nil {
			return err
		}
		nodes = slices.DeleteFunc(nodes, func(n hive.Node) bool { return !slices.Contains(n.Skills, id) })
		if len(nodes) >= want {
			return nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// swarm is spores in this process.
type swarm struct {
	hive    *rig.Hive
	kit     *rig.Kit
	state   string // with a folder for each
	spores  []*spore.Spore
	roads   []*broker.Broker
	changed chan change
}

// change is what a spore says when it runs other bundles.
type change struct {
	at      time.Time
	running string
}

// listener is a log that hears of changes.
type listener struct {
	slog.Handler
	changed chan<- change
}

func (l listener) Enabled(context.Context, slog.Level) bool { return true }

func (l listener) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "bundles changed" {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "running" {
				l.changed <- change{r.Time, a.Value.String()}
			}
			return true
		})
	}
	return nil
}

// AdmitWord is the argument with which this program is the child that compiles skills.
const AdmitWord = "admit"

func (w *swarm) start(ctx context.Context, n int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for i := range n {
		road, err := broker.Dial(ctx, broker.Options{Addrs: []string{w.hive.Redis.Addr()}})
		if err != nil {
			return err
		}
		w.roads = append(w.roads, road)
		name := fmt.Sprint("p", i+1)
		s, err := spore.New(spore.Options{
			Road: road, Log: slog.New(listener{slog.DiscardHandler, w.changed}), Name: name, Slots: 1, Grace: spore.NoGrace,
			CacheDir: w.kit.CodeDir(), Admit: []string{self, AdmitWord},
			Bundles: spore.UpdaterOptions{Between: spore.NoWait, Repository: bundle.ClientOptions{
				Repository: w.hive.Repository(), Root: w.hive.Publisher.Root, State: filepath.Join(w.state, name)}},
		})
		if err != nil {
			return err
		}
		w.spores = append(w.spores, s)
		if err := s.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// await returns when every spore runs a version. seen is told when each began to.
func (w *swarm) await(ctx context.Context, version string, seen func(time.Time)) error {
	giveUp := time.After(patience)
	for left := len(w.spores); left > 0; {
		select {
		case c := <-w.changed:
			if !strings.Contains(c.running, version) {
				continue
			}
			left--
			if seen != nil {
				seen(c.at)
			}
		case <-giveUp:
			return fmt.Errorf("%d spores of %d do not run %s", left, len(w.spores), version)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (w *swarm) stop() {
	var all errgroup.Group
	for _, s := range w.spores {
		all.Go(func() error { return s.Stop(context.Background()) })
	}
	err := all.Wait()
	for _, r := range w.roads {
		err = errors.Join(err, r.Close())
	}
	if err != nil {
		slog.Debug("swarm", "error", err) // its hive is stopped next
	}
}
