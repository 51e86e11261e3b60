// Package lang tells English, Polish and German apart and knows the words of
// each that carry no topic.
package lang

import (
	"strings"
	"unicode"

	"github.com/hive-spore/hive/skills/internal/wordset"
)

// Language is one of the languages the skill knows.
type Language uint8

// English is the zero value: the guess for a text that resembles none.
const (
	English Language = iota
	Polish
	German
)

func (l Language) String() string {
	return [...]string{"en", "pl", "de"}[l]
}

// sample is how much of a text Detect looks at; a few hundred words decide.
const sample = 64 << 10

// Detect returns the language whose stop words are most frequent in text.
// Counting function words is the oldest and, for more than a sentence of
// text, a sufficient method (Ingle 1976; Grefenstette, "Comparing two
// language identification schemes", JADT 1995).
func Detect(text string) Language {
	var hits [len(stopWords)]int
	for word := range strings.FieldsFuncSeq(text[:min(len(text), sample)], notLetter) {
		word = strings.ToLower(word)
		for l := range stopWords {
			if stopWords[l][word] {
				hits[l]++
			}
		}
	}
	best := English
	for l, n := range hits {
		if n > hits[best] {
			best = Language(l)
		}
	}
	return best
}

// IsStopWord reports whether a lower-case word is a function word.
func (l Language) IsStopWord(word string) bool { return stopWords[l][word] }

// PointsBack reports whether a sentence that begins with these two words
// refers to the sentence before, as pronouns and connectives do. German "das"
// is a pronoun before a verb ("Das haben …") and an article before a noun or
// an adjective, which then ends in -e ("Das neue Haus").
func (l Language) PointsBack(first, second string) bool {
	if l == German && first == "Das" {
		return strings.ToLower(second) == second && !strings.HasSuffix(second, "e")
	}
	return anaphora[l][strings.ToLower(first)]
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) && r != '\'' && r != '’' }

// stopWords is indexed by Language.
var stopWords = [...]wordset.Set{
	English: wordset.Of(english),
	Polish:  wordset.Of(polish),
	German:  wordset.Of(german),
}

// anaphora is indexed by Language.
var anaphora = [...]wordset.Set{
	English: wordset.Of(englishAnaphora),
	Polish:  wordset.Of(polishAnaphora),
	German:  wordset.Of(germanAnaphora),
}
