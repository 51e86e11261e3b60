package runtime

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/hive-spore/hive"
)

// ModeNewInstance starts every attempt in an instance of its own.
const ModeNewInstance = "new instance"

// Skill is a prepared program with its manifest. It is safe for concurrent
// calls, which share nothing but code.
type Skill struct {
	engine   *Engine
	program  *program
	manifest hive.Manifest
	info     Info
	closed   bool // guarded by Engine.mu
}

// Info is what is known of a prepared program.
type Info struct {
	Contract hive.Contract    `json:"contract"`
	Digest   string           `json:"digest"`
	Size     int64            `json:"size"`    // of the program in bytes
	Imports  []string         `json:"imports"` // "module.function", sorted
	Exports  []string         `json:"exports"` // sorted
	Memory   int64            `json:"memory"`  // bytes it begins with
	Limits   hive.SkillLimits `json:"limits"`  // the manifest's, or the defaults
	Mode     string           `json:"mode"`    // how attempts are kept apart
	Reason   string           `json:"reason"`  // why in this mode
}

// Digest returns the digest of a program: "sha256:" and 64 hex digits.
func Digest(wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Prepare checks and compiles a program. Programs of the same digest are
// compiled once. The error is a [Refusal] if the program or its manifest is the
// reason. The skill must be closed; what m refers to must not change before.
func (e *Engine) Prepare(ctx context.Context, wasm []byte, m *hive.Manifest) (*Skill, error) {
	mod, err := scan(wasm)
	if err != nil {
		return nil, err
	}
	contract, err := mod.contract()
	if err != nil {
		return nil, err
	}
	if m.Contract != "" && m.Contract != contract {
		return nil, refuse("the manifest says contract %q, but the program is a %s", m.Contract, contract)
	}
	if err := mod.check(contract, e.hosts); err != nil {
		return nil, err
	}
	info := mod.info(contract, m)
	if limit := info.Limits.Memory; info.Memory > limit {
		return nil, refuse("begins with %s of memory, its limit is %s", size(uint64(info.Memory)), size(uint64(limit)))
	}
	p, err := e.program(ctx, info.Digest, mod)
	if err != nil {
		return nil, err
	}
	s := &Skill{engine: e, program: p, manifest: *m, info: info}
	if err := checkTypes(p.code, contract, e.hosts); err != nil {
		_ = s.Close(ctx)
		return nil, err
	}
	return s, nil
}

func (m *module) info(c hive.Contract, manifest *hive.Manifest) Info {
	info := Info{
		Contract: c,
		Digest:   Digest(m.wasm),
		Size:     int64(len(m.wasm)),
		Memory:   int64(m.memory),
		Limits:   manifest.Limits.WithDefaults(),
		Mode:     ModeNewInstance,
		Reason:   "this engine keeps nothing between attempts",
	}
	for _, s := range m.imports {
		info.Imports = append(info.Imports, s.String())
	}
	for _, s := range m.exports {
		info.Exports = append(info.Exports, plain(s.name, maxName))
	}
	slices.Sort(info.Imports)
	slices.Sort(info.Exports)
	return info
}

// Info returns what is known of the program.
func (s *Skill) Info() Info { return s.info }

// Close gives the program up. Attempts that run end in their own time, later
// calls fail. Close may be called again.
func (s *Skill) Close(context.Context) error {
	s.engine.mu.Lock()
	closed := s.closed
	s.closed = true
	s.engine.mu.Unlock()
	if closed {
		return nil
	}
	return s.engine.release(s.program)
}
