package broker_test

import (
	"maps"
	"strconv"

	"pgregory.net/rapid"

	"github.com/hive-spore/hive"
)

// model is what the keys of a namespace hold.
type model map[string]string

var modelKeys = []string{"a", "b", "c"}

func drawEffect(t *rapid.T) hive.KVEffect {
	key := rapid.SampledFrom(modelKeys).Draw(t, "key")
	value := rapid.SampledFrom([]string{"", "0", "7", "-7", "x", "9007199254740990"}).Draw(t, "value")
	switch rapid.IntRange(0, 6).Draw(t, "op") {
	case 0, 1:
		return set(key, value)
	case 2:
		return del(key)
	case 3:
		return expect(key, value)
	case 4:
		return absent(key)
	}
	return add(key, rapid.Int64Range(-3, 3).Draw(t, "delta"))
}

// do carries effects out, or returns why nothing was done.
func (m model) do(kv []hive.KVEffect) (refused error) {
	next := maps.Clone(m)
	for _, e := range kv {
		held, there := m[e.Key]
		if e.Op == hive.KVExpect && (there == e.Absent || there && held != string(e.Value)) {
			return hive.ErrConflict
		}
		switch e.Op {
		case hive.KVSet:
			next[e.Key] = string(e.Value)
		case hive.KVDelete:
			delete(next, e.Key)
		case hive.KVAdd:
			n, err := strconv.ParseInt(next[e.Key], 10, 64)
			if _, there := next[e.Key]; err != nil && there || n+e.Delta > hive.MaxKVSum {
				refused = hive.ErrEffect
			}
			next[e.Key] = strconv.FormatInt(n+e.Delta, 10)
		}
	}
	if refused == nil {
		clear(m)
		maps.Copy(m, next)
	}
	return refused
}
