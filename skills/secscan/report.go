package main

import (
	"cmp"
	"slices"
)

// hit is a match of a rule on a line.
type hit struct {
	match
	rule *rule
}

// scannedLine is a line with hits. Its secrets are masked even where the hit itself is suppressed.
type scannedLine struct {
	number  int
	text    string
	hits    []hit
	secrets []span
}

// newScannedLine keeps the hits that are left when duplicates and suppressed ones are gone.
func newScannedLine(number int, text string, hits []hit, ignored directive) scannedLine {
	line := scannedLine{number: number, text: text}
	for _, h := range hits {
		for _, secret := range h.secrets {
			line.secrets = append(line.secrets, widen(text, secret))
		}
	}
	line.hits = slices.DeleteFunc(distinct(hits), func(h hit) bool { return ignored.suppresses(h.rule.id) })
	return line
}

// distinct drops hits that tell nothing new, and generic hits on a secret that a specific rule has named.
// The rest is ordered by rule and place.
func distinct(hits []hit) []hit {
	slices.SortStableFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.rule.id, b.rule.id), a.start-b.start)
	})
	named := namedSecrets(hits)
	var kept []hit
	for _, h := range hits {
		repeated := len(kept) > 0 && h.repeats(kept[len(kept)-1])
		if !repeated && !(h.rule.generic && anyOverlaps(named, h.span)) {
			kept = append(kept, h)
		}
	}
	return kept
}

// repeats says that a hit was found twice, where two places overlap, or that the excerpt of another hit
// shows it too.
func (h hit) repeats(earlier hit) bool {
	near := len(h.secrets) == 0 && h.start-earlier.start < maxExcerpt
	return h.rule == earlier.rule && (near || h.overlaps(earlier.span))
}

// namedSecrets are the hits of specific rules on secrets.
func namedSecrets(hits []hit) []span {
	var named []span
	for _, h := range hits {
		if !h.rule.generic && len(h.secrets) > 0 {
			named = append(named, h.span)
		}
	}
	return merge(named)
}

// anyOverlaps searches spans that are in order and apart.
func anyOverlaps(spans []span, s span) bool {
	i, _ := slices.BinarySearchFunc(spans, s, func(a, b span) int { return cmp.Compare(a.end, b.start+1) })
	return i < len(spans) && spans[i].overlaps(s)
}

// report turns hits into findings. Excerpts come last, when all secrets of the file are known.
func report(lines []scannedLine) []Finding {
	findings := []Finding{}
	everywhere := sharedSecrets(lines)
	for _, line := range lines {
		masks := line.masks(everywhere)
		for _, h := range line.hits[:min(len(line.hits), maxFindings-len(findings))] {
			shown := excerpt(line.text, h.start, masks)
			findings = append(findings, Finding{line.number, h.rule.id, h.rule.severity, shown})
		}
	}
	return findings
}

func sharedSecrets(lines []scannedLine) secretIndex {
	index := newSecretIndex()
	for _, line := range lines {
		for _, s := range line.secrets {
			if s.end-s.start >= sharedLength {
				index.add(line.text[s.start:s.end])
			}
		}
	}
	return index
}

// masks are the places of a line to hide: its secrets, their repetitions, and secrets of other lines.
func (l scannedLine) masks(everywhere secretIndex) []span {
	if len(l.hits) == 0 {
		return nil
	}
	own := newSecretIndex()
	for _, s := range l.secrets {
		own.add(l.text[s.start:s.end])
	}
	return merge(slices.Concat(l.secrets, own.find(l.text), everywhere.find(l.text)))
}
