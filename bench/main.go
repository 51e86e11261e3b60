// Command bench measures The Hive; bench/run builds and runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/hive-spore/hive/bench/bulk"
	"github.com/hive-spore/hive/bench/chaos"
	"github.com/hive-spore/hive/bench/engine"
	"github.com/hive-spore/hive/bench/ota"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/bench/road"
	"github.com/hive-spore/hive/bench/way"
	"github.com/hive-spore/hive/spore"
)

const usage = `usage: bench/run SUITE [--quick] [--json FILE]
       bench/run road [--quick] [--only TEXT] [--json FILE]
       bench/run chaos [--for 1m] [--seed N] [--profile process|failover] [--logs DIR] [--json FILE]

suites:
  road    the road beside asynq, BullMQ and NATS JetStream
  way     the whole way of a task: full rate, enqueue, idle round trip
  bulk    pages of a slow server, fetched and summarized by 1 spore and by 5
  engine  the sandbox against plain wazero, Extism, wasmtime and processes
  ota     bundles over the air: refresh, every spore on a version, a swap under load
  chaos   a hive of which something breaks every second, and whether it keeps its promises

--quick      less of it and fewer rounds: a look, not a measurement
--json FILE  write every figure of every round to FILE, too
--only TEXT  of road: only what has TEXT in its name, as in --only 'processing: ours'

of chaos:
--for TIME   how long things break; 1m if it is not said
--seed N     what breaks when: the same for the same seed; a random one if it is not said
--profile P  process: one Redis that writes everything to disk; failover: a master, a
             replica and three sentinels; process if it is not said
--logs DIR   keep there what the programs said
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) == 2 && os.Args[1] == ota.AdmitWord {
		if err := spore.Admit(ctx, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(run(ctx, os.Args[1:]))
}

// suites are what can be measured.
var suites = map[string]func(context.Context, options, *report.Report) error{"road": measureRoad, "way": measureWay, "bulk": measureBulk, "engine": measureEngine, "ota": measureOTA, "chaos": measureChaos}

// options are the command line.
type options struct {
	suite, json   string
	parse         bool // only: bench/run asks which suite it is
	quick         bool
	only          string // of road
	repo, scratch string // set by bench/run
	cache         string // likewise; kept for the next run
	tools         engine.Tools
	bullmq        string // where npm has installed it
	chaos         chaos.Options
	shown         string // the command as the user gave it
}

func run(ctx context.Context, args []string) int {
	o, err := parse(args)
	defer os.RemoveAll(o.scratch)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(os.Stderr, usage)
		return 0
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench/run: %v\n", err)
		fmt.Fprint(os.Stderr, usage)
		return 2
	}
	if o.parse {
		fmt.Println(o.suite)
		return 0
	}
	switch err := measure(ctx, o); {
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "\nbench/run: interrupted")
		return 130
	case err != nil:
		fmt.Fprintf(os.Stderr, "\nbench/run: %v\n", err)
		return 1
	}
	return 0
}

// parse reads the arguments; flags may stand before and after the suite.
func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench/run", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&o.quick, "quick", false, "")
	flags.BoolVar(&o.parse, "parse", false, "")
	flags.StringVar(&o.only, "only", "", "")
	flags.StringVar(&o.json, "json", "", "")
	flags.StringVar(&o.repo, "repo", "", "")
	flags.StringVar(&o.scratch, "scratch", "", "")
	flags.StringVar(&o.cache, "cache", "", "")
	flags.StringVar(&o.tools.ASC, "asc", "", "")
	flags.StringVar(&o.tools.Rustc, "rustc", "", "")
	flags.StringVar(&o.bullmq, "bullmq", "", "")
	flags.DurationVar(&o.chaos.For, "for", time.Minute, "")
	flags.Uint64Var(&o.chaos.Seed, "seed", rand.Uint64N(1_000_000), "")
	flags.StringVar((*string)(&o.chaos.Profile), "profile", string(chaos.Process), "")
	flags.StringVar(&o.chaos.Logs, "logs", "", "")
	var words []string
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return o, err
		}
		if args = flags.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	switch {
	case o.repo == "" || o.scratch == "":
		return o, errors.New("start it by the script bench/run")
	case len(words) != 1 || suites[words[0]] == nil:
		return o, fmt.Errorf("suite %q: want road, way, bulk, engine, ota or chaos", strings.Join(words, " "))
	}
	o.suite = words[0]
	o.shown = "bench/run " + o.suite
	if o.suite == "chaos" {
		o.chaos.Repo = o.repo
		o.shown += " " + o.chaos.String()
		err = o.chaos.Validate()
	}
	if o.only != "" {
		o.shown += fmt.Sprintf(" --only %q", o.only)
		if o.suite != "road" {
			err = errors.Join(err, errors.New("--only is for road"))
		}
	}
	if o.quick {
		o.shown += " --quick"
	}
	return o, err
}

// measure runs the suite and shows what it found.
func measure(ctx context.Context, o options) error {
	var out *os.File
	var err error
	if o.json != "" {
		// Beside it now, rather than in some minutes; what is there stays until there is a new one.
		if out, err = os.CreateTemp(filepath.Dir(o.json), filepath.Base(o.json)+"-*"); err != nil {
			return err
		}
		defer os.Remove(out.Name())
		defer out.Close()
	}
	r := &report.Report{Suite: o.suite, Command: o.shown, Commit: commit(), Begun: time.Now(), Machine: report.ThisMachine()}
	if err := suites[o.suite](ctx, o, r); err != nil {
		return err
	}
	r.Seconds = time.Since(r.Begun).Seconds()
	err = r.WriteText(os.Stdout)
	if out != nil {
		err = errors.Join(err, r.WriteJSON(out), out.Chmod(0o644), out.Close())
		if err == nil {
			err = os.Rename(out.Name(), o.json)
		}
	}
	if n := len(r.Violations); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d promises were not kept; repeat it: %s", n, o.shown))
	}
	return err
}

func say(text string) { fmt.Fprintf(os.Stderr, "bench/run: %s\n", text) }

func measureWay(ctx context.Context, o options, r *report.Report) error {
	size := way.Full
	if o.quick {
		size = way.Quick
	}
	r.Rounds, r.Size = size.Rounds, size.String()
	kit, err := newKit(ctx, o, r, rig.Wordcount)
	if err != nil {
		return err
	}
	return way.Run(ctx, kit, size, r, say)
}

func measureRoad(ctx context.Context, o options, r *report.Report) error {
	size := road.Full
	if o.quick {
		size = road.Quick
	}
	size.Only = o.only
	r.Rounds, r.Size = size.Rounds, size.String()
	kit, err := newKit(ctx, o, r)
	if err != nil {
		return err
	}
	guests, err := o.tools.Guests(ctx, o.repo, o.cache)
	if err != nil {
		return err
	}
	programs, err := road.NewPrograms(ctx, o.repo, o.scratch, o.bullmq, guests)
	if err != nil {
		return err
	}
	if r.With, err = programs.Versions(ctx); err != nil {
		return err
	}
	return road.Run(ctx, kit, programs, size, r, say)
}

func measureBulk(ctx context.Context, o options, r *report.Report) error {
	size := bulk.Full
	if o.quick {
		size = bulk.Quick
	}
	r.Rounds, r.Size = size.Rounds, size.String()
	kit, err := newKit(ctx, o, r, rig.Fetch, rig.Summarize)
	if err != nil {
		return err
	}
	return bulk.Run(ctx, kit, size, filepath.Join(o.repo, "testdata", "articles"), r, say)
}

func measureOTA(ctx context.Context, o options, r *report.Report) error {
	size := ota.Full
	if o.quick {
		size = ota.Quick
	}
	r.Rounds, r.Size = size.Rounds, size.String()
	kit, err := newKit(ctx, o, r, rig.Wordcount)
	if err != nil {
		return err
	}
	return ota.Run(ctx, kit, o.scratch, size, r, say)
}

func measureChaos(ctx context.Context, o options, r *report.Report) error {
	r.Size = fmt.Sprintf("%v of faults", o.chaos.For)
	kit, err := newKit(ctx, o, r)
	if err != nil {
		return err
	}
	return chaos.Run(ctx, kit, o.chaos, r, say)
}

func newKit(ctx context.Context, o options, r *report.Report, skills ...string) (kit *rig.Kit, err error) {
	if r.Machine.Redis, err = rig.RedisVersion(ctx); err != nil {
		return nil, err
	}
	say("building the programs")
	return rig.NewKit(ctx, o.repo, o.scratch, skills...)
}

func measureEngine(ctx context.Context, o options, r *report.Report) error {
	size := engine.Full
	if o.quick {
		size = engine.Quick
	}
	r.Rounds, r.Size = size.Rounds, size.String()
	say("building the worker and the guests")
	workers, err := engine.NewRig(ctx, o.tools, o.repo, o.cache, o.scratch)
	if err != nil {
		return err
	}
	compilers, err := o.tools.Versions(ctx)
	if err != nil {
		return err
	}
	peers, err := workers.Versions()
	if err != nil {
		return err
	}
	r.With = append(peers, compilers...)
	return engine.Run(ctx, workers, size, r, say)
}

// commit is the state of the repository that was built, as far as it is known.
func commit() string {
	text, changed := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				text = s.Value[:min(len(s.Value), 12)]
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = " with changes"
			}
		}
	}
	return text + changed
}
