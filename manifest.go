package hive

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Contract is how a skill's program meets its host.
type Contract string

// The contracts. An empty one in a manifest means: chosen by the module itself.
const (
	ContractCommand Contract = "command" // WASI preview 1 _start: stdin, stdout, stderr
	ContractReactor Contract = "reactor" // exports hive_run, imports module hive
	ContractExtism  Contract = "extism"  // imports extism:host/env
)

// Grant is permission to use one group of host functions.
type Grant string

// The grants a manifest may ask for.
const (
	GrantLog      Grant = "log"
	GrantKV       Grant = "kv"
	GrantHTTP     Grant = "http"
	GrantSpawn    Grant = "spawn"
	GrantEmit     Grant = "emit"
	GrantProgress Grant = "progress"
	GrantSecrets  Grant = "secrets"
	GrantFiles    Grant = "files"
	GrantClock    Grant = "clock"
	GrantRandom   Grant = "random"
)

// Grants lists every grant there is.
var Grants = []Grant{GrantLog, GrantKV, GrantHTTP, GrantSpawn, GrantEmit,
	GrantProgress, GrantSecrets, GrantFiles, GrantClock, GrantRandom}

// SkillLimits bound one attempt. Zero means the default.
type SkillLimits struct {
	Memory int64         `json:"memory,omitempty"` // bytes
	Time   time.Duration `json:"time,omitempty"`   // nanoseconds in JSON
	Fuel   int64         `json:"fuel,omitempty"`   // units of work, see docs/abi.md; zero: no limit
	Output int64         `json:"output,omitempty"` // bytes
	Log    int64         `json:"log,omitempty"`    // bytes
}

// Default limits of an attempt, and the most a manifest may ask for.
const (
	DefaultMemory = 256 << 20
	MaxMemory     = 4 << 30
)

// WithDefaults returns the limits with zero ones filled in. Time stays: the
// task's own timeout bounds it.
func (l SkillLimits) WithDefaults() SkillLimits {
	if l.Memory == 0 {
		l.Memory = DefaultMemory
	}
	if l.Output == 0 {
		l.Output = DefaultOutput
	}
	if l.Log == 0 {
		l.Log = MaxLog
	}
	return l
}

// Manifest is what a skill says of itself, as it travels with the program.
type Manifest struct {
	Name        string            `json:"name"`
	Version     string            `json:"version"`
	Description string            `json:"description,omitempty"`
	Contract    Contract          `json:"contract,omitempty"`
	Entry       string            `json:"entry,omitempty"`
	Input       json.RawMessage   `json:"input,omitempty"`  // JSON Schema of the payload; none: any bytes
	Output      json.RawMessage   `json:"output,omitempty"` // JSON Schema of the result
	Example     []byte            `json:"example,omitempty"`
	Warmup      *bool             `json:"warmup,omitempty"`
	Args        []string          `json:"args,omitempty"`
	Env         map[string]string `json:"env,omitempty"`
	Limits      SkillLimits       `json:"limits,omitzero"`
	Requires    Selector          `json:"requires,omitempty"`
	Grants      []Grant           `json:"grants,omitempty"`
	Allow       Allow             `json:"allow,omitzero"`
}

// Allow says what the grants of a manifest are for. What it does not name is
// denied although the grant is given.
type Allow struct {
	HTTP    []string `json:"http,omitempty"`    // HOST, HOST:PORT, *.HOST or *.HOST:PORT; without a port: 443 and 80
	KV      []string `json:"kv,omitempty"`      // namespaces shared with other skills; its own needs no name
	Spawn   []string `json:"spawn,omitempty"`   // skills
	Secrets []string `json:"secrets,omitempty"` // names
	Files   []string `json:"files,omitempty"`   // names of folders of the spore
	Clock   Source   `json:"clock,omitempty"`
	Random  Source   `json:"random,omitempty"`
}

// Source is where clock and random numbers come from.
type Source string

// The sources: the world, or the task's id, so that each attempt sees the same.
const (
	SourceLive Source = ""
	SourceTask Source = "task"
)

// Skill is a manifest and the digest of the program it speaks for.
type Skill struct {
	Manifest
	Digest string `json:"digest"` // "sha256:" and 64 hex digits
	Size   int64  `json:"size"`   // of the program in bytes
}

// ID returns the skill's exact identity.
func (s *Skill) ID() SkillID { return SkillID{s.Name, s.Version, s.Digest} }

// SortSkills sorts by name, newest version first, and pre-releases after all
// releases: who does not ask for one gets none while there is a release.
func SortSkills(skills []Skill) {
	slices.SortStableFunc(skills, func(a, b Skill) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		if pre := strings.Contains(a.Version, "-"); pre != strings.Contains(b.Version, "-") {
			if pre {
				return 1
			}
			return -1
		}
		return CompareVersions(b.Version, a.Version)
	})
}
