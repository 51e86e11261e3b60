package main

const (
	// A line up to this length is given to a rule as a whole. Of a longer one, say of a minified script,
	// a rule gets the places around its keywords: regular expressions are slow, and more so on long texts.
	wholeLine = 512
	// placeBefore and placeAfter are how far a place reaches around a keyword. They are more than most rules
	// match; of a secret that is longer the start is found, and all of it is masked.
	placeBefore = 128
	placeAfter  = 384
	// maxPlace is how long a place may get when places meet.
	maxPlace = 1024
)

// places are the stretches of one line that rules are to be tried on.
type places struct {
	ids    []int    // the rules that have any
	byRule [][]span // by rule, in order
}

func (p *places) reset() {
	for _, id := range p.ids {
		p.byRule[id] = p.byRule[id][:0]
	}
	p.ids = p.ids[:0]
}

// add files the place around a keyword, joined with the place before if they meet.
func (p *places) add(id int, keyword span, lineLength int) {
	place := span{0, lineLength}
	if lineLength > wholeLine {
		place = span{max(0, keyword.start-placeBefore), min(lineLength, keyword.end+placeAfter)}
	}
	list := p.byRule[id]
	last := len(list) - 1
	switch {
	case last < 0:
		p.ids = append(p.ids, id)
	case place.start <= list[last].end && place.end-list[last].start <= max(maxPlace, wholeLine):
		list[last].end = max(list[last].end, place.end)
		return
	}
	p.byRule[id] = append(list, place)
}

// cover files the whole line, in overlapping places if it is long.
func (p *places) cover(id int, lineLength int) {
	for at := 0; at == 0 || at < lineLength; at += maxPlace - placeBefore {
		if at == 0 {
			p.ids = append(p.ids, id)
		}
		p.byRule[id] = append(p.byRule[id], span{at, min(lineLength, at+maxPlace)})
	}
}
