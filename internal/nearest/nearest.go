// Package nearest finds the key that a writer of a wrong one most likely meant.
package nearest

import (
	"slices"
	"strings"
)

// Of returns the one of known that a writer of name most likely meant, or "": a
// key that begins with it, the same word in another table, or one within a typing
// error or two.
func Of(name string, known []string) string {
	if len(name) > 64 {
		return ""
	}
	best, least := "", 2+len(name)/4
	for _, k := range slices.Sorted(slices.Values(known)) {
		d := distance(name, k)
		if strings.HasPrefix(k, name) || lastPart(k) == lastPart(name) {
			d = 1
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
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
