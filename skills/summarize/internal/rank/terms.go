package rank

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hive-spore/hive/skills/summarize/internal/lang"
)

// folding brings together forms that differ by an alternation of vowels, as
// "Stadt" and "Städte", "Kraków" and "Krakowa".
var folding = strings.NewReplacer("ä", "a", "ö", "o", "ü", "u", "ß", "ss", "ó", "o", "ą", "a", "ę", "e")

// contentWords returns the words of a sentence that are no stop words, in
// lower case and folded.
func contentWords(sentence string, l lang.Language) []string {
	var words []string
	sentence = strings.ReplaceAll(strings.ToLower(sentence), "’", "'")
	for word := range strings.FieldsFuncSeq(sentence, notWord) {
		word = strings.Trim(word, "'")
		switch letters := utf8.RuneCountInString(word); {
		case letters < 2 || l.IsStopWord(word):
		case letters == len(word): // ASCII
			words = append(words, word)
		default:
			words = append(words, folding.Replace(word))
		}
	}
	return words
}

func notWord(r rune) bool {
	if 'a' <= r && r <= 'z' {
		return false // the usual case, to save time
	}
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\'' && r != '’'
}

// firstWords returns the first two words of a sentence.
func firstWords(sentence string) (first, second string) {
	for word := range strings.FieldsFuncSeq(sentence, notWord) {
		if first != "" {
			return first, word
		}
		first = word
	}
	return first, ""
}

const (
	stemLength = 6
	gramLength = 5
)

// stem cuts a word off. For inflected languages that comes close to a stemmer
// made of rules, and it needs none.
func stem(word string) string {
	for i := range word {
		if utf8.RuneCountInString(word[:i]) == stemLength {
			return word[:i]
		}
	}
	return word
}

// terms returns what words are compared by: their stems, and the sequences of
// five letters in them, by which "Glocke" is recognised in "Lehmglocke"
// (McNamee and Mayfield, "Character n-gram tokenization for European language
// text retrieval", Information Retrieval 7, 2004).
func terms(words []string) []string {
	var all []string
	for _, word := range words {
		all = append(all, "="+stem(word))
		all = appendGrams(all, word)
	}
	return all
}

// appendGrams appends the sequences of gramLength letters in word, or word
// itself if it is shorter. Words longer than maxWord are no words.
func appendGrams(grams []string, word string) []string {
	letters := []rune(word[:min(len(word), maxWord)])
	for i := range max(1, len(letters)-gramLength+1) {
		grams = append(grams, string(letters[i:min(i+gramLength, len(letters))]))
	}
	return grams
}

const maxWord = 100
