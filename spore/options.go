package spore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/hostfuncs"
)

// Options make a spore.
type Options struct {
	Road *broker.Broker
	Log  *slog.Logger // default: silent
	// Bundles say where skills come from. Whom they are for, Prepare, Changed, Audit and
	// Repository.Log are filled in.
	Bundles UpdaterOptions

	// Name identifies the spore: at most one with this name is online. Default:
	// the host's name and a random suffix.
	Name string
	Tags hive.Tags // added to the detected ones, before which they win
	// Slots is how many attempts run at once; default the number of cores.
	Slots int
	// Prefetch is how many tasks may be queued here beyond the slots, where none that
	// comes later passes them; default half the slots, from 2 to 16. NoPrefetch: none.
	Prefetch int
	// Grace is how long running attempts may go on after Stop began; default 30 s.
	// NoGrace: not at all.
	Grace time.Duration
	// CacheDir keeps compiled skills; empty: only until the spore ends.
	CacheDir string
	// Admit is the command of the child process that compiles skills: one that
	// calls [Admit]. Without it only skills whose code is in CacheDir can run.
	Admit []string
	// Pool is the memory that idle sandboxes may hold, in bytes; 0:
	// runtime.DefaultPool.
	Pool int64
	// Grants are those that skills may have here; nil: all there are.
	Grants []hive.Grant
	// HTTP says what skills may reach with the grant http.
	HTTP hostfuncs.HTTPOptions
	// Secrets are those that skills may be told; nil: none.
	Secrets hostfuncs.Secrets
	// Files are the folders that skills may read: paths by the names that manifests
	// use.
	Files map[string]string
	// Record is how many bytes of what an attempt is told by its host are kept if it
	// fails, for its replay; default hive.MaxRecording. NoRecord: none.
	Record int
	// Most is what the limits of a skill may ask for here; zero ones allow anything.
	Most hive.SkillLimits
	// Control says whose commands are obeyed; the zero value: those of the nexus, by the
	// keys that the repository of bundles lists.
	Control ControlOptions
}

// DefaultGrace is how long running attempts may go on after Stop began.
const DefaultGrace = 30 * time.Second

// What Options say for none, where 0 means the default.
const (
	NoPrefetch               = -1
	NoRecord                 = -1
	NoGrace    time.Duration = -1
)

// Validate reports everything that is wrong with the options.
func (o Options) Validate() error {
	var errs []error
	if o.Road == nil {
		errs = append(errs, errors.New("road: missing"))
	}
	if r := o.Bundles.Repository; r.Repository == "" || r.State == "" || len(r.Root) == 0 {
		errs = append(errs, errors.New("bundles: want a repository, its first root, and a folder for its state"))
	}
	if o.Name != "" {
		errs = append(errs, hive.CheckNodeID(o.Name))
	}
	errs = append(errs, o.Tags.Validate())
	for _, g := range o.Grants {
		if !slices.Contains(hive.Grants, g) {
			errs = append(errs, fmt.Errorf("grant %.40q: want one of %v", g, hive.Grants))
		}
	}
	if o.Slots < 0 || o.Slots > 4096 {
		errs = append(errs, fmt.Errorf("slots %d: want 1 to 4096, or 0 for one per core", o.Slots))
	}
	if o.Prefetch < NoPrefetch || o.Prefetch > 10_000 {
		errs = append(errs, fmt.Errorf("prefetch %d: want 0 to 10000", o.Prefetch))
	}
	if o.Record < NoRecord || o.Record > hive.MaxRecording {
		errs = append(errs, fmt.Errorf("record %d: want 0 to %d bytes", o.Record, hive.MaxRecording))
	}
	if o.Grace < NoGrace {
		errs = append(errs, fmt.Errorf("grace %v: want 0 or more", o.Grace))
	}
	if o.Control.Keys != nil && o.Control.State == "" {
		errs = append(errs, errors.New("control: keys without a folder for its state"))
	}
	return errors.Join(errs...)
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Grants == nil {
		o.Grants = hive.Grants
	}
	if o.Slots == 0 {
		o.Slots = goruntime.NumCPU()
	}
	switch o.Prefetch {
	case 0:
		o.Prefetch = min(max(2, o.Slots/2), 16)
	case NoPrefetch:
		o.Prefetch = 0
	}
	switch o.Record {
	case 0:
		o.Record = hive.MaxRecording
	case NoRecord:
		o.Record = 0
	}
	switch o.Grace {
	case 0:
		o.Grace = DefaultGrace
	case NoGrace:
		o.Grace = 0
	}
	if o.Name == "" {
		o.Name = hostName() + "-" + strings.ToLower(rand.Text()[:6])
	}
	return o
}

// hostName is the host's name as far as it fits a spore id with its suffix.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "spore"
	}
	name, _, _ = strings.Cut(name, ".")
	if name = name[:min(len(name), 17)]; hive.CheckNodeID(name) != nil {
		return "spore"
	}
	return name
}
