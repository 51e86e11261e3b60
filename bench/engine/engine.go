// Package engine measures the sandbox against what else one could run a task in.
package engine

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hive-spore/hive/bench/engine/work"
	"github.com/hive-spore/hive/bench/report"
)

// Size says how much is measured.
type Size struct {
	Rounds    int
	Window    time.Duration // of each setting of tasks
	Windows   int
	Budget    time.Duration // for each kernel
	Kills     int           // of each runaway
	Instances int           // whose memory is taken
}

// Sizes of a run that is to be believed, and of a quick look.
var (
	Full  = Size{Rounds: 5, Window: 60 * time.Millisecond, Windows: 5, Budget: 500 * time.Millisecond, Kills: 200, Instances: 128}
	Quick = Size{Rounds: 3, Window: 25 * time.Millisecond, Windows: 3, Budget: 150 * time.Millisecond, Kills: 60, Instances: 64}
)

func (s Size) String() string {
	return fmt.Sprintf("per round %d windows of %v for each figure of tasks, %d kills, %d instances",
		s.Windows, s.Window, s.Kills, s.Instances)
}

// workerFor is how long one measurement may take. The first one of a guest
// compiles it.
const workerFor = 3 * time.Minute

// Rig is what the workers need.
type Rig struct {
	Worker  string // the program
	Guests  string // directory of the built guests
	Cache   string // directory that is kept for the next run
	Scratch string // directory that is not
}

// NewRig builds the worker and, unless they are in the cache, the guests.
func NewRig(ctx context.Context, tools Tools, repo, cache, scratch string) (*Rig, error) {
	r := &Rig{Worker: filepath.Join(scratch, "worker"), Scratch: filepath.Join(scratch, "ours"), Cache: filepath.Join(cache, "compiled")}
	for _, dir := range []string{r.Scratch, r.Cache} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", r.Worker, "./engine/worker")
	cmd.Dir = filepath.Join(repo, "bench")
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the worker: %w\n%s", err, said)
	}
	var err error
	r.Guests, err = tools.Guests(ctx, repo, cache)
	return r, err
}

// peers are the modules whose versions are told.
var peers = []string{"github.com/tetratelabs/wazero", "github.com/extism/go-sdk", "github.com/bytecodealliance/wasmtime-go"}

// Versions names the modules the worker was built with.
func (r *Rig) Versions() ([]string, error) {
	info, err := buildinfo.ReadFile(r.Worker)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, m := range info.Deps {
		for _, p := range peers {
			if m.Path == p || strings.HasPrefix(m.Path, p+"/") {
				all = append(all, strings.TrimPrefix(p, "github.com/")+" "+m.Version)
			}
		}
	}
	return all, nil
}

// run has a worker carry out an order.
func (r *Rig) run(ctx context.Context, o work.Order) (result work.Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, workerFor)
	defer cancel()
	o.Wasm, o.Native, o.Beside = r.guest(o.Wasm), r.guest(o.Native), r.guest(o.Beside)
	o.Cache, o.Scratch = r.Cache, r.Scratch
	order, err := json.Marshal(o)
	if err != nil {
		return result, err
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, r.Worker)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = r.env()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(order), &out, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return result, context.Cause(ctx)
		}
		return result, fmt.Errorf("%w\n%s", err, said.Bytes())
	}
	return result, json.Unmarshal(out.Bytes(), &result)
}

func (r *Rig) guest(file string) string {
	if file == "" {
		return ""
	}
	return filepath.Join(r.Guests, file)
}

// env leaves out what would set how Go runs: the orders do.
func (r *Rig) env() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "GO") || strings.HasPrefix(v, "HIVE_")
	})
}

// stage is one measurement.
type stage struct {
	name  string
	order work.Order
	enter func(work.Result)
}

// suite is a run.
type suite struct {
	size    Size
	report  *report.Report
	skipped []string            // what a subject cannot run, and why
	modes   map[string][]string // stages of ours by how it keeps attempts apart
}

// Run measures all stages in every round. Those of one guest follow each other,
// so that what disturbs the machine for a while disturbs what is compared alike.
func Run(ctx context.Context, rig *Rig, size Size, r *report.Report, progress func(string)) error {
	return newSuite(size, r).run(ctx, rig.run, progress)
}

func newSuite(size Size, r *report.Report) *suite {
	return &suite{size: size, report: r, modes: map[string][]string{}}
}

func (s *suite) run(ctx context.Context, carryOut func(context.Context, work.Order) (work.Result, error), progress func(string)) error {
	stages := s.stages()
	for round := range s.size.Rounds {
		for i, st := range stages {
			progress(fmt.Sprintf("round %d of %d, %d/%d: %s", round+1, s.size.Rounds, i+1, len(stages), st.name))
			result, err := carryOut(ctx, st.order)
			if err != nil {
				return fmt.Errorf("%s: %w", st.name, err)
			}
			s.enter(st, result)
		}
	}
	s.conclude()
	return nil
}

func (s *suite) enter(st stage, r work.Result) {
	if r.Unsupported != "" {
		s.skipped = once(s.skipped, st.name+": "+r.Unsupported)
		return
	}
	if r.Mode != "" && st.order.Kind == work.Tasks {
		s.modes[r.Mode] = once(s.modes[r.Mode], st.name)
	}
	st.enter(r)
}

func once(all []string, text string) []string {
	if slices.Contains(all, text) {
		return all
	}
	return append(all, text)
}

// The limit of a runaway is so long that an instance can start within it.
const (
	limitOfC  = 5 * time.Millisecond
	limitOfGo = 20 * time.Millisecond
)

func (s *suite) stages() (all []stage) {
	for _, g := range guests {
		for _, subject := range subjects[g.contract] {
			all = append(all, s.tasks(g, subject))
		}
	}
	all = append(all, s.metering("C", "c-kernels.wasm"), s.metering("Go", "go-kernels.wasm"),
		s.killing("C", "c-runaway.wasm", limitOfC),
		s.killing("Go", "go-runaway.wasm", limitOfGo))
	for _, g := range []struct{ name, file string }{{"C", "c-meet.wasm"}, {"Go", "go-meet.wasm"}} {
		all = append(all, s.memory(g.name, g.file, work.Ours), s.memory(g.name, g.file, work.Warm))
	}
	return all
}
