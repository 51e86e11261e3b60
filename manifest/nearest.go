package manifest

import (
	"slices"
	"strings"
)

// nearest returns the one of known that a writer of name most likely meant, or
// "": a name that begins with it, the same word in another table, or one
// within a typing error or two.
func nearest(name string, known []string) string {
	if len(name) > 64 {
		return ""
	}
	slices.Sort(known)
	best, least := "", 1+len(name)/4
	for _, k := range known {
		d := distance(name, k)
		if strings.HasPrefix(k, name) || lastPart(k) == lastPart(name) {
			d = 1
		}
		if d < least || (d == least && best == "") {
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
