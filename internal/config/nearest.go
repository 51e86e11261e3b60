package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// hint names the key that a writer of name most likely meant, if there is one:
// one that begins with it, the same word in another section, or one within a
// typing error or two.
func hint(name string, known map[string]key) string {
	if len(name) > 64 {
		return ""
	}
	best, least := "", 2+len(name)/4
	names := slices.AppendSeq(sections(), maps.Keys(known))
	slices.Sort(names)
	for _, k := range names {
		d := distance(name, k)
		if strings.HasPrefix(k, name) || lastPart(k) == lastPart(name) {
			d = 1
		}
		if d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

func lastPart(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// distance is Levenshtein's: single bytes inserted, deleted or replaced.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
