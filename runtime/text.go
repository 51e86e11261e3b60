package runtime

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
)

// plain makes foreign text fit for one line of a message: valid UTF-8 without
// control characters, at most n bytes.
func plain(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return hive.Clip(strings.TrimSpace(s), n)
}

// maxName bounds a foreign name within a message.
const maxName = 100

// size prints bytes as people count memory: "256 MiB", "70000 bytes".
func size(n uint64) string {
	for _, unit := range []struct {
		shift int
		name  string
	}{{30, "GiB"}, {20, "MiB"}, {10, "KiB"}} {
		if n >= 1<<unit.shift && n%(1<<unit.shift) == 0 {
			return fmt.Sprintf("%d %s", n>>unit.shift, unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// signature prints a function's type: "(i32, i64) -> i32".
func signature(params, results []api.ValueType) string {
	s := "(" + typeNames(params) + ")"
	switch len(results) {
	case 0:
		return s
	case 1:
		return s + " -> " + typeNames(results)
	}
	return s + " -> (" + typeNames(results) + ")"
}

func typeNames(types []api.ValueType) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = api.ValueTypeName(t)
	}
	return plain(strings.Join(names, ", "), maxName)
}
