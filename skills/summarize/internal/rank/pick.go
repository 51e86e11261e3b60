package rank

import "slices"

const (
	// redundancyWeight is MMR's 1-λ: how much a resemblance to what has been
	// picked counts against a sentence.
	redundancyWeight = 0.5
	// nearlyEqual is the similarity from which two sentences say the same.
	nearlyEqual = 0.6
	// danglingWeight counts against a sentence that begins with "He" or
	// "Therefore" while the sentence it refers to has not been picked. It
	// covers no more facts, but it makes for better reading.
	danglingWeight = 0.5
)

// picker picks sentences one after another.
type picker struct {
	similar  graph
	scores   []float64
	dangling []bool
	position []int // of each candidate in the text

	picked    []int
	redundant []float64 // the greatest similarity to one that has been picked
}

// pick returns the positions of at most n sentences in ascending order.
func (p *picker) pick(n int) []int {
	p.redundant = make([]float64, len(p.scores))
	for len(p.picked) < n {
		best := p.best()
		if best < 0 {
			break
		}
		p.picked = append(p.picked, best)
		for i := range p.redundant {
			p.redundant[i] = max(p.redundant[i], p.similar[best][i])
		}
		p.redundant[best] = 1
	}
	positions := make([]int, len(p.picked))
	for i, candidate := range p.picked {
		positions[i] = p.position[candidate]
	}
	slices.Sort(positions)
	return positions
}

// best returns the candidate to be picked next, or -1. Of equals it is the
// first in the text.
func (p *picker) best() int {
	best, bestValue := -1, 0.0
	for i := range p.scores {
		if p.redundant[i] >= nearlyEqual {
			continue
		}
		if value := p.value(i); best < 0 || value > bestValue {
			best, bestValue = i, value
		}
	}
	return best
}

// value is the score of a candidate given what has been picked.
func (p *picker) value(i int) float64 {
	value := p.scores[i] * (1 - redundancyWeight*p.redundant[i])
	if p.dangling[i] && !p.hasPicked(p.position[i]-1) {
		value *= 1 - danglingWeight
	}
	return value
}

func (p *picker) hasPicked(position int) bool {
	return slices.ContainsFunc(p.picked, func(i int) bool { return p.position[i] == position })
}
