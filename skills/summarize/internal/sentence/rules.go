package sentence

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hive-spore/hive/skills/summarize/internal/lang"
)

// context is all the rules know about a full stop. The word after it already
// looks as if it could begin a sentence.
type context struct {
	before previous
	after  next
	lang   lang.Language
}

// starter reports whether the word after is a capitalised function word.
func (c *context) starter() bool {
	return c.after.capital && c.lang.IsStopWord(strings.ToLower(c.after.word))
}

// verdict is what one rule says.
type verdict uint8

const (
	undecided verdict = iota
	boundary
	inside
)

// rules are asked in turn; the first verdict counts.
var rules = [...]func(*context) verdict{
	enumerator, abbreviation, lettered, unit, initial, acronym, ordinal,
}

func (c *context) endsSentence() bool {
	for _, rule := range rules {
		if v := rule(c); v != undecided {
			return v == boundary
		}
	}
	return true
}

// boundaryIf turns a condition into one of the two firm verdicts.
func boundaryIf(condition bool) verdict {
	if condition {
		return boundary
	}
	return inside
}

// enumerator keeps "1. Introduction" and "B. Results" together.
func enumerator(c *context) verdict {
	if (isNumeral(c.before.token, 3) || isSingleLetter(c.before.token)) && !c.before.hasMoreWords(1) {
		return inside
	}
	return undecided
}

// abbreviation looks the word up and applies its class.
func abbreviation(c *context) verdict {
	switch classOf(c.before, c.lang) {
	case neverEnds:
		return inside
	case beforeNumber:
		return boundaryIf(!c.after.isNumber() && (c.starter() || !isRoman(c.after.word)))
	case mayEnd:
		return boundaryIf(c.starter())
	case usuallyEnds:
		return boundaryIf(!continues[strings.ToLower(c.after.word)])
	case quantity:
		return c.afterQuantity()
	case era:
		return c.afterDate()
	}
	return undecided
}

// afterQuantity keeps "34 proc. Polaków" and "min. 5 osób" together. People
// are the only capitalised thing that is counted, and they are counted in the
// genitive plural.
func (c *context) afterQuantity() verdict {
	if c.after.isNumber() {
		return boundaryIf(isMeasure(c.before.word))
	}
	return boundaryIf(!strings.HasSuffix(c.after.word, "ów") && c.after.word != "Polek")
}

// fronted is the number of words up to which a date at the beginning of a
// sentence is an adverbial ("W październiku 2019 r. Sejm uchwalił …") and not
// the end of one ("Zakład powstał w maju 1998 r. Fabryka zatrudnia …").
const fronted = 4

// afterDate decides about "r.", "w." and "n.e.", which close a date but do
// not stand for anything else when no date precedes.
func (c *context) afterDate() verdict {
	dated := isMeasure(c.before.word) || isRoman(c.before.word) || c.before.word == "ub."
	if isSingleLetter(c.before.token) && !dated {
		return undecided
	}
	return boundaryIf(c.starter() || c.before.hasMoreWords(fronted))
}

// lettered ends a sentence after "vitamin C." and "Plan B.".
func lettered(c *context) verdict {
	if isSingleLetter(c.before.token) && letterNouns[strings.ToLower(c.before.word)] {
		return boundary
	}
	return undecided
}

// unit ends a sentence after a measurement: "at about 30 m. No difference".
func unit(c *context) verdict {
	if isLowerLetter(c.before.token) && isMeasure(c.before.word) {
		return boundary
	}
	return undecided
}

// isMeasure reports whether word is a number such as 30, 1,234.5 or 3½.
func isMeasure(word string) bool {
	return strings.ContainsFunc(word, unicode.IsDigit) && !strings.ContainsFunc(word, unicode.IsLetter)
}

// initial keeps "J. R. R. Tolkien", "z. B. Berlin" and "m. in. Kraków"
// together. A function word after it ends the sentence ("Plan D. The …"), but
// not after a second initial, where it is more likely a name ("J. J. Will").
func initial(c *context) verdict {
	if !isSingleLetter(c.before.token) {
		return undecided
	}
	if c.before.token == "I" && strings.ToLower(c.before.word) == c.before.word {
		return boundary // the pronoun: "neither he nor I."
	}
	several := len(c.before.key) > len(c.before.token)
	return boundaryIf(c.starter() && !c.after.dotted && !several)
}

// acronym ends a sentence after "U.S." only if a function word follows.
func acronym(c *context) verdict {
	if !isAcronym(c.before.token) && !isAcronym(c.before.key) {
		return undecided
	}
	return boundaryIf(c.starter())
}

// ordinal keeps "am 3. Oktober", "der 2. Weltkrieg", "lata 90. XX wieku" and
// "Ludwig XIV. Bourbon" together. English writes no ordinals with full stops.
func ordinal(c *context) verdict {
	isNumber := isNumeral(c.before.token, 3)
	isRegnal := c.lang == lang.German && len(c.before.token) > 1 && isRoman(c.before.token)
	switch {
	case c.lang == lang.English, !isNumber && !isRegnal, c.starter():
		return undecided
	case isRegnal, c.insideDate(), isRoman(c.after.word), ordinalNouns[c.after.word]:
		return inside
	case introducers[c.lang][strings.ToLower(c.before.word)]:
		return inside
	}
	return undecided
}

// insideDate reports whether the stop follows the day or the month of a date
// written in figures: "15. 3. 2024".
func (c *context) insideDate() bool {
	day, isOrdinal := strings.CutSuffix(c.before.word, ".")
	return isNumeral(c.after.word, 2) || isOrdinal && isNumeral(day, 2) && isNumeral(c.after.word, 4)
}

func isLowerLetter(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return unicode.IsLower(r) && isSingleLetter(word)
}
