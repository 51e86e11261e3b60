package rank

import (
	"math"
	"slices"
)

// component is one coordinate of a sparse vector.
type component struct {
	term   int
	weight float64
}

// vector is a sentence as a point in the space of terms, of length 1 and
// ordered by term. The vector of a sentence without content words is empty.
type vector []component

// vectorsOf weighs the terms of the kept sentences by tf·idf, where every
// sentence counts as a document (LexRank, eq. 3).
func vectorsOf(words [][]string, kept []int) []vector {
	ids := map[string]int{}
	var frequency []int // of each term: the number of sentences it occurs in
	vectors := make([]vector, len(kept))
	for i, k := range kept {
		vectors[i] = count(terms(words[k]), ids)
		for _, c := range vectors[i] {
			if c.term == len(frequency) {
				frequency = append(frequency, 0)
			}
			frequency[c.term]++
		}
	}
	for _, v := range vectors {
		v.weigh(frequency, len(kept))
	}
	return vectors
}

// count returns how often each term occurs, numbering new terms in ids.
func count(terms []string, ids map[string]int) vector {
	var v vector
	at := map[int]int{}
	for _, term := range terms {
		id, known := ids[term]
		if !known {
			id = len(ids)
			ids[term] = id
		}
		i, seen := at[id]
		if !seen {
			i = len(v)
			at[id] = i
			v = append(v, component{term: id})
		}
		v[i].weight++
	}
	slices.SortFunc(v, func(a, b component) int { return a.term - b.term })
	return v
}

// weigh multiplies by the inverse frequency and brings v to length 1. The 1
// keeps a term that occurs in every sentence above zero.
func (v vector) weigh(frequency []int, sentences int) {
	for i, c := range v {
		v[i].weight = c.weight * (1 + math.Log(float64(sentences)/float64(frequency[c.term])))
	}
	length := math.Sqrt(v.dot(v))
	for i := range v {
		v[i].weight /= length
	}
}

// dot is the scalar product, which for vectors of length 1 is the cosine.
func (v vector) dot(w vector) float64 {
	sum := 0.0
	for i, j := 0, 0; i < len(v) && j < len(w); {
		switch {
		case v[i].term < w[j].term:
			i++
		case v[i].term > w[j].term:
			j++
		default:
			sum += v[i].weight * w[j].weight
			i++
			j++
		}
	}
	return sum
}
