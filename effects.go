package hive

import "time"

// Effects are what an attempt asked its host to change. They are done together
// with the recording of its success, or not at all.
type Effects struct {
	KV    []KVEffect // in this order
	Spawn []Task     // with ids that follow from the attempt's task
}

// None reports whether there is nothing to do.
func (e *Effects) None() bool { return len(e.KV) == 0 && len(e.Spawn) == 0 }

// Bounds of the effects of one attempt.
const (
	MaxEffects     = 1000
	MaxEffectBytes = 256 << 10 // of keys, values and payloads
)

// KVOp is what a KVEffect does.
type KVOp byte

// The operations on a key.
const (
	KVSet    KVOp = 'S' // it has Value, for TTL if that is not 0
	KVDelete KVOp = 'D' // it is gone
	KVAdd    KVOp = 'A' // its number, or 0, is Delta more
	KVExpect KVOp = 'E' // it must have Value, or with Absent be absent, or nothing is done at all
)

// KVEffect is one operation on a key of a namespace.
type KVEffect struct {
	Op     KVOp
	Space  string // see KVSpace
	Key    string
	Value  []byte
	Absent bool
	Delta  int64
	TTL    time.Duration
}

// KVSpace returns the namespace of a skill's own keys, or of those that skills
// share under a name.
func KVSpace(skill, shared string) string {
	if shared != "" {
		return "g." + shared
	}
	return "s." + skill
}

// Bounds of keys and values.
const (
	MaxKVKey   = 256      // bytes
	MaxKVValue = 64 << 10 // bytes
	MaxKVTTL   = 365 * 24 * time.Hour
	MaxKVList  = 1000 // keys in one page
	// MaxKVSum is what a number may be, in magnitude: scripts count exactly up to it.
	MaxKVSum = 1 << 53
)
