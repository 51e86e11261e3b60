package main

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maskText = "****"
	// maxShown is how many characters of a secret stay, so that a reader can tell which one it is.
	maxShown = 4
	// keyLength is how much of a secret the index looks at first; shorter ones are masked in place only.
	keyLength = 4
	// sharedLength is how long a secret must be to be masked on other lines too: "test" would hide half a file.
	sharedLength = 8
)

// secretIndex finds known secrets in a text, wherever they stand.
type secretIndex struct {
	known map[string]bool
	byKey map[string][]string // by their first keyLength bytes
}

func newSecretIndex() secretIndex {
	return secretIndex{known: map[string]bool{}, byKey: map[string][]string{}}
}

func (x secretIndex) add(secret string) {
	if len(secret) < keyLength || x.known[secret] {
		return
	}
	x.known[secret] = true
	key := secret[:keyLength]
	x.byKey[key] = append(x.byKey[key], secret)
}

func (x secretIndex) find(text string) []span {
	var found []span
	for at := 0; at+keyLength <= len(text); at++ {
		for _, secret := range x.byKey[text[at:at+keyLength]] {
			if strings.HasPrefix(text[at:], secret) {
				found = append(found, span{at, at + len(secret)})
			}
		}
	}
	return found
}

// merge joins overlapping spans, so that a part of one secret cannot show as the start of another.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(a.start-b.start, a.end-b.end) })
	var merged []span
	for _, s := range spans {
		last := len(merged) - 1
		if last >= 0 && s.start < merged[last].end {
			merged[last].end = max(merged[last].end, s.end)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// mask keeps the start of a secret: a quarter of it, and never more than maxShown characters.
func mask(secret string) string {
	runes := min(maxShown, utf8.RuneCountInString(secret)/4)
	end := 0
	for range runes {
		_, size := utf8.DecodeRuneInString(secret[end:])
		end += size
	}
	return secret[:end] + maskText
}

// widen lets a secret end where its characters end: a rule may have matched only the usual length, or
// up to the edge of a window.
func widen(line string, secret span) span {
	for secret.end < len(line) && isSecretByte(line[secret.end]) {
		secret.end++
	}
	return secret
}

func isSecretByte(b byte) bool {
	return isAlphanumeric(b) || strings.IndexByte("_-+/=.~%", b) >= 0
}

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}
