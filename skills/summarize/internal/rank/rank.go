// Package rank chooses the sentences that say most about a text.
//
// A sentence is central if it resembles many sentences that are central
// themselves: the sentences form a graph weighted by similarity, and
// PageRank's random walk finds the stationary distribution (Mihalcea and
// Tarau, "TextRank", EMNLP 2004; Erkan and Radev, "LexRank", JAIR 22, 2004).
// Sentences are then taken by rank, discounted by their resemblance to those
// already taken (Carbonell and Goldstein, "The use of MMR", SIGIR 1998).
package rank

import (
	"cmp"
	"slices"

	"github.com/hive-spore/hive/skills/summarize/internal/lang"
)

// Sentence is a sentence and the number of the block it stands in.
type Sentence struct {
	Text  string
	Block int
}

// Select returns the indices of at most n sentences in ascending order: fewer
// if there are no more, or if all others nearly repeat one of these.
func Select(text []Sentence, l lang.Language, n int) []int {
	words := make([][]string, len(text))
	for i, s := range text {
		words[i] = contentWords(s.Text, l)
	}
	kept := candidates(words, maxCandidates)
	vectors := vectorsOf(words, kept)
	similar := similarities(vectors)
	scores := similar.withNeighbours(text, kept).centrality()
	p := picker{similar: similar, scores: scores, dangling: make([]bool, len(kept)), position: kept}
	for i, k := range kept {
		p.scores[i] *= appeal(text[k].Text, k)
		p.dangling[i] = l.PointsBack(firstWords(text[k].Text))
	}
	return p.pick(n)
}

// candidates returns the indices of at most limit sentences worth ranking, so
// that the graph of a whole book stays small: a sixth from the beginning, the
// others by the mean frequency of their words in the text, the measure of
// SumBasic (Nenkova and Vanderwende, MSR-TR-2005-101).
func candidates(words [][]string, limit int) []int {
	all := make([]int, len(words))
	for i := range all {
		all[i] = i
	}
	if len(all) <= limit {
		return all
	}
	frequency := map[string]int{}
	for _, sentence := range words {
		for _, word := range sentence {
			frequency[stem(word)]++
		}
	}
	rest := all[limit/6:]
	mean := make(map[int]float64, len(rest))
	for _, i := range rest {
		mean[i] = meanFrequency(words[i], frequency)
	}
	slices.SortStableFunc(rest, func(i, j int) int { return cmp.Compare(mean[j], mean[i]) })
	kept := all[:limit]
	slices.Sort(kept)
	return kept
}

const (
	maxCandidates = 600
	// A sentence of two frequent words is not a better candidate than one of
	// ten: shorter sentences are treated as if they had this many words.
	minWords = 6
)

func meanFrequency(words []string, frequency map[string]int) float64 {
	sum := 0
	for _, word := range words {
		sum += frequency[stem(word)]
	}
	return float64(sum) / float64(max(len(words), minWords))
}
