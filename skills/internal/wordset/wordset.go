// Package wordset lets tables of words be written as text.
package wordset

import "strings"

// Set is a set of words.
type Set map[string]bool

// Of returns the set of the words in a list separated by white space.
func Of(list string) Set {
	set := make(Set)
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}
