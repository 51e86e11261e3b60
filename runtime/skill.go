package runtime

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/runtime/prepare"
)

// The ways in which attempts are kept apart.
const (
	// ModeRestored gives an attempt an instance that was restored after the
	// attempt before: to the bytes and numbers that each of them begins with.
	ModeRestored = "restored instance"
	// ModeNewInstance starts every attempt in an instance of its own.
	ModeNewInstance = "new instance"
)

// Skill is a prepared program with its manifest. It is safe for concurrent
// calls, which share nothing but code.
type Skill struct {
	engine   *Engine
	program  *program
	manifest hive.Manifest
	info     Info
	id       hive.SkillID
	args     []string // of preview 1: the skill's name first
	env      []string // as K=V
	snapshot *snapshot
	pool     pool
	foreign  bool // imports functions that may do what nobody sees
	closed   atomic.Bool
	released atomic.Bool
	users    [lanes]tally // attempts, each in the lane where it began
}

// Info is what is known of a prepared program.
type Info struct {
	Contract hive.Contract    `json:"contract"`
	Digest   string           `json:"digest"`
	Size     int64            `json:"size"`     // of the program in bytes
	Imports  []string         `json:"imports"`  // "module.function", sorted
	Exports  []string         `json:"exports"`  // sorted
	Memory   int64            `json:"memory"`   // bytes it begins with
	Limits   hive.SkillLimits `json:"limits"`   // the manifest's, or the defaults
	Mode     string           `json:"mode"`     // how attempts are kept apart
	Reason   string           `json:"reason"`   // why in this mode
	Warmup   string           `json:"warmup"`   // "yes", or why not
	Snapshot int64            `json:"snapshot"` // bytes of memory each attempt begins with
}

// Digest returns the digest of a program: "sha256:" and 64 hex digits.
func Digest(wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Prepare checks a program, has it compiled and starts it once. Programs of the
// same digest are compiled once. The error is a [Refusal] if the program or its
// manifest is the reason. The skill must be closed; what m refers to must not
// change before.
func (e *Engine) Prepare(ctx context.Context, wasm []byte, m *hive.Manifest) (*Skill, error) {
	if err := e.use(); err != nil {
		return nil, err
	}
	defer e.busy.Done()
	info, prepared, err := e.check(wasm, m)
	if err != nil {
		return nil, err
	}
	p, err := e.program(ctx, wasm, prepared, *m)
	if err != nil {
		return nil, err
	}
	s := &Skill{
		engine: e, program: p, manifest: *m, info: info,
		pool:    pool{budget: &e.budget, each: instanceCost + globalCost*int64(len(prepared.Globals)) + entryCost*int64(prepared.Entries)},
		foreign: !e.careful && foreign(prepared, e.hosts),
		id:      hive.SkillID{Name: m.Name, Version: m.Version, Digest: info.Digest},
		args:    slices.Concat([]string{m.Name}, m.Args),
		env:     environ(m.Env, nil),
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	if err := e.keep(s); err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

// check finds out what can be known before the program is compiled.
func (e *Engine) check(wasm []byte, m *hive.Manifest) (Info, *prepare.Module, error) {
	prepared, err := prepare.Prepare(wasm, prepare.Options{})
	if err != nil {
		return Info{}, nil, &Refusal{err.Error()}
	}
	c, err := contract(prepared)
	if err != nil {
		return Info{}, nil, err
	}
	if m.Contract != "" && m.Contract != c {
		return Info{}, nil, refuse("the manifest says contract %q, but the program is a %s", m.Contract, c)
	}
	if err := checkImports(prepared, c, e.hosts); err != nil {
		return Info{}, nil, err
	}
	info := newInfo(wasm, prepared, c, m)
	if err := e.checkLimits(info.Limits); err != nil {
		return Info{}, nil, err
	}
	if limit := info.Limits.Memory; info.Memory > limit {
		return Info{}, nil, refuse("begins with %s of memory, its limit is %s", size(uint64(info.Memory)), size(uint64(limit)))
	}
	return info, prepared, nil
}

func newInfo(wasm []byte, p *prepare.Module, c hive.Contract, m *hive.Manifest) Info {
	info := Info{
		Contract: c,
		Digest:   Digest(wasm),
		Size:     int64(len(wasm)),
		Memory:   int64(p.Memory.Min) * pageSize,
		Limits:   m.Limits.WithDefaults(),
	}
	for _, i := range p.Imports {
		info.Imports = append(info.Imports, symbol(i))
	}
	for _, x := range p.Exports {
		info.Exports = append(info.Exports, plain(x.Name, maxName))
	}
	slices.Sort(info.Imports)
	slices.Sort(info.Exports)
	return info
}

// start checks the compiled program and takes the snapshot, if there can be one.
func (s *Skill) start(ctx context.Context) error {
	if err := checkTypes(s.program.code, s.info.Contract, &s.manifest, s.engine.hosts); err != nil {
		return err
	}
	s.info.Mode = ModeNewInstance
	switch why := s.program.prepared.Unrestorable; {
	case s.engine.fresh:
		s.info.Reason = "this engine restores no instances"
	case why != "":
		s.info.Reason = "it " + why
	default:
		return s.prepareSnapshot(ctx)
	}
	return nil
}

// Info returns what is known of the program.
func (s *Skill) Info() Info { return s.info }

// Close gives the program up. Attempts that run end in their own time, later
// calls fail. Close may be called again.
func (s *Skill) Close(context.Context) error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.release()
}

// hold uses the skill until drop of the lane it returns, unless it is closed.
func (s *Skill) hold() (lane int, err error) {
	lane = here()
	s.users[lane].Add(1)
	if !s.closed.Load() {
		return lane, nil
	}
	s.drop(lane)
	if s.engine.closed.Load() {
		return 0, errClosed
	}
	return 0, errors.New("the skill is closed")
}

// drop gives up one use.
func (s *Skill) drop(lane int) {
	s.users[lane].Add(-1)
	if s.closed.Load() {
		_ = s.release() // Close tells of errors
	}
}

// release releases what a closed skill holds when nobody uses it, once. A use
// that began before it was closed is in its lane until it ends, whenever that is
// looked at; those that come later do nothing but go, and look themselves.
func (s *Skill) release() error {
	for lane := range s.users {
		if s.users[lane].Load() > 0 {
			return nil
		}
	}
	if s.released.Swap(true) {
		return nil
	}
	s.pool.close()
	return errors.Join(s.snapshot.close(), s.engine.forget(s))
}
