package hostfuncs

import (
	"strconv"

	"github.com/hive-spore/hive"
)

// effects collect what an attempt asks for, and know what its keys would hold if
// it were done now.
type effects struct {
	list  hive.Effects
	bytes int
	keys  map[place]*entry
}

// place is a key in its namespace.
type place struct{ space, key string }

// entry is a key that the attempt looked at or changed.
type entry struct {
	base     []byte // what the road said
	present  bool
	value    []byte // what the attempt would see now
	exists   bool
	certain  bool // value does not depend on base: it was set or deleted
	expected bool // that base is still so is a condition already
}

// Effects returns what the attempt asked for.
func (a *Attempt) Effects() hive.Effects { return a.effects.list }

// room reports whether one more effect of so many bytes may be asked for.
func (e *effects) room(bytes int) bool {
	if len(e.list.KV)+len(e.list.Spawn) >= hive.MaxEffects || e.bytes+bytes > hive.MaxEffectBytes {
		return false
	}
	e.bytes += bytes
	return true
}

// number reads a value that can be added to: decimal text. None is 0.
func number(value []byte, exists bool) (n int64, ok bool) {
	if !exists {
		return 0, true
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	return n, err == nil && n <= hive.MaxKVSum && n >= -hive.MaxKVSum && strconv.FormatInt(n, 10) == string(value)
}
