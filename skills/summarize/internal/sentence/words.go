package sentence

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// openers may stand between a boundary and the first word of a sentence.
const openers = "\"'“”„«»‘’‚‹›([{*_–—-¿¡•"

// next is the word after a stop.
type next struct {
	word    string // letters or digits without what surrounds them
	first   rune   // its first character, 0 if the paragraph is over
	capital bool   // begins with a capital, or like "iPhone" has one inside
	dotted  bool   // is itself followed by a full stop
}

// following reads the word at the beginning of text, behind openers.
func following(text string) next {
	text = skipOpeners(text)
	n := next{}
	n.first, _ = utf8.DecodeRuneInString(text)
	if text == "" {
		n.first = 0
	}
	n.word = leadingWord(text)
	n.dotted = strings.HasPrefix(text[len(n.word):], ".")
	n.capital = strings.ContainsFunc(n.word, unicode.IsUpper)
	return n
}

// skipOpeners returns text from its first letter, digit or other character
// that does not open anything. It is strings.TrimLeft, which is slow for a set
// that is not ASCII.
func skipOpeners(text string) string {
	for i, r := range text {
		if 'a' <= r|0x20 && r|0x20 <= 'z' || r != ' ' && !strings.ContainsRune(openers, r) {
			return text[i:]
		}
	}
	return ""
}

// leadingWord returns the letters or digits at the beginning of text.
func leadingWord(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’'
	})
	if end < 0 {
		return text
	}
	return text[:end]
}

// mayBegin reports whether a sentence can begin with the word: with anything
// but a lower-case letter or another punctuation mark.
func (n next) mayBegin() bool {
	switch {
	case n.first == 0 || strings.ContainsRune(".,;:!?…", n.first):
		return false
	case unicode.IsLower(n.first):
		return n.capital
	}
	return true
}

func (n next) isNumber() bool { return unicode.IsDigit(n.first) }

// previous is what stands before a full stop.
type previous struct {
	token string // the word the stop is attached to: "Dr", "U.S", "3", "m.in"
	key   string // in lower case, with preceding single letters: "z.b", "j.r.r"
	word  string // the word before the token (and the letters joined to key)
	all   string // the sentence up to here
}

// maxToken is the number of bytes preceding looks back for a token, maxLetters
// the number of single letters joined to a key. They keep the work per stop
// constant.
const (
	maxToken   = 64
	maxLetters = 2 // "i. d. R."
)

// preceding reads the words at the end of text.
func preceding(text string) previous {
	rest, token := cutLast(text)
	p := previous{token: token, all: text}
	joined := len(text) - len(token) // where the letters joined to the token begin
	for range maxLetters {
		shorter, letter := cutLast(rest)
		if !strings.HasSuffix(letter, ".") || !isSingleLetter(letter[:len(letter)-1]) {
			break
		}
		joined = len(strings.TrimRight(rest, " ")) - len(letter)
		rest = shorter
	}
	p.key = strings.ToLower(strings.ReplaceAll(text[joined:], " ", ""))
	_, p.word = cutLast(rest)
	return p
}

// hasMoreWords reports whether the sentence has more than n words so far.
func (p previous) hasMoreWords(n int) bool {
	for range strings.FieldsSeq(p.all) {
		if n--; n < 0 {
			return true
		}
	}
	return false
}

// cutLast splits off the last word of text and strips what opens before it.
func cutLast(text string) (rest, word string) {
	text = strings.TrimRight(text, " ")
	window := text[max(0, len(text)-maxToken):]
	if i := strings.LastIndexByte(window, ' '); i >= 0 {
		window = window[i+1:]
	}
	return text[:len(text)-len(window)], skipOpeners(window)
}

func isSingleLetter(word string) bool {
	r, size := utf8.DecodeRuneInString(word)
	return size > 0 && size == len(word) && unicode.IsLetter(r)
}

// isNumeral reports whether word is one to maxDigits digits.
func isNumeral(word string, maxDigits int) bool {
	return word != "" && len(word) <= maxDigits && strings.Trim(word, "0123456789") == ""
}

func isRoman(word string) bool {
	return word != "" && strings.Trim(word, "IVXLCM") == ""
}

// isAcronym reports whether token is like "U.S", "Ph.D" or "p.n.e": pieces of
// at most two letters with full stops between them.
func isAcronym(token string) bool {
	if !strings.Contains(token, ".") {
		return false
	}
	for piece := range strings.SplitSeq(token, ".") {
		if n := utf8.RuneCountInString(piece); n < 1 || n > 2 || leadingWord(piece) != piece ||
			strings.ContainsAny(piece, "0123456789") {
			return false
		}
	}
	return true
}
