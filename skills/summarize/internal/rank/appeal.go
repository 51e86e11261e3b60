package rank

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The features below correct the ranking by what the graph cannot see. They
// are the classical ones (Edmundson, "New methods in automatic extracting",
// JACM 16, 1969; compared by Ferreira et al., Expert Systems with Applications
// 40, 2013). README.md says what each is worth on the test articles. The
// weights are round numbers from the middle of the range in which the coverage
// of facts hardly changes.
const (
	leadWeight   = 1.5  // what the first sentence gains; the second half of it, the third a third
	figureWeight = 0.15 // a figure is a fact
	quoteWeight  = 0.3  // direct speech is colour
	fullWords    = 8    // a shorter sentence rarely stands on its own
)

// appeal is the factor by which a sentence is a better or a worse choice than
// its centrality says.
func appeal(sentence string, position int) float64 {
	factor := 1 + leadWeight/float64(1+position)
	if strings.ContainsFunc(sentence, unicode.IsDigit) {
		factor *= 1 + figureWeight
	}
	factor *= 1 - quoteWeight*quotedShare(sentence)
	return factor * min(1, float64(len(strings.Fields(sentence)))/fullWords)
}

// quotedShare returns how much of a sentence is direct speech. One mark
// without its counterpart means that the speech goes on in another sentence.
func quotedShare(sentence string) float64 {
	inside, marks, quoted := false, 0, 0
	for _, r := range sentence {
		if strings.ContainsRune("\"“”„«»", r) {
			inside = !inside
			marks++
		} else if inside {
			quoted++
		}
	}
	if marks%2 == 1 {
		return 1
	}
	return float64(quoted) / float64(max(utf8.RuneCountInString(sentence), 1))
}
