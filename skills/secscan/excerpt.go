package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxExcerpt = 120
	// leadIn is how many characters before the match stay when the line is cut.
	leadIn = 40
	// reach is how many bytes around a match are looked at: more than an excerpt can show.
	reach   = 4 * maxExcerpt
	cutMark = "…"
)

// excerpt shows the part of a line around a match: masked, printable, trimmed and at most maxExcerpt
// characters long. The masks are sorted and do not overlap.
func excerpt(line string, at int, masks []span) string {
	piece := near(line, at)
	shown, anchor := render(line, piece, at, masks)
	return trim(shown, anchor, piece.start > 0, piece.end < len(line))
}

// near is the stretch of a line that an excerpt is made from, cut on rune borders.
func near(line string, at int) span {
	return span{runeBorder(line, max(0, at-reach)), runeBorder(line, min(len(line), at+2*reach))}
}

// runeBorder goes back to the start of the rune that i is in, if it is in one: text may be anything.
func runeBorder(line string, i int) int {
	for back := 0; back < utf8.UTFMax && i-back > 0; back++ {
		if i == len(line) || utf8.RuneStart(line[i-back]) {
			return i - back
		}
	}
	return i
}

// render returns the masked piece, and where in it the match starts.
func render(line string, piece span, at int, masks []span) (shown []rune, anchor int) {
	pos, anchor := piece.start, -1
	emit := func(to int, text string) {
		if anchor < 0 && at < to {
			anchor = len(shown) + utf8.RuneCountInString(text[:min(len(text), at-pos)])
		}
		shown, pos = append(shown, printable(text)...), to
	}
	for _, m := range masks {
		if !m.overlaps(piece) {
			continue
		}
		emit(max(pos, m.start), line[pos:max(pos, m.start)])
		emit(min(m.end, piece.end), masked(line, m, piece))
	}
	emit(piece.end, line[pos:piece.end])
	return shown, max(0, anchor)
}

// masked shows nothing of a secret whose start is out of sight: what stands there is not its start.
func masked(line string, secret, piece span) string {
	if secret.start < piece.start {
		return maskText
	}
	return mask(line[secret.start:secret.end])
}

func printable(text string) []rune {
	runes := []rune(text)
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = ' '
		}
	}
	return runes
}

// trim cuts a long line around the match. The cut marks count as characters of the excerpt.
func trim(shown []rune, anchor int, cutLeft, cutRight bool) string {
	text := strings.TrimLeft(string(shown), " ")
	anchor -= len(shown) - utf8.RuneCountInString(text)
	shown = []rune(strings.TrimRight(text, " "))
	if fits(len(shown), cutLeft, cutRight) {
		return withCuts(shown, cutLeft, cutRight)
	}
	room := maxExcerpt - 2
	from := max(0, min(anchor-leadIn, len(shown)-room))
	to := from + room
	return withCuts(shown[from:to], cutLeft || from > 0, cutRight || to < len(shown))
}

func withCuts(shown []rune, left, right bool) string {
	text := string(shown)
	if left {
		text = cutMark + text
	}
	if right {
		text += cutMark
	}
	return text
}

func fits(length int, cutLeft, cutRight bool) bool {
	if cutLeft || cutRight {
		return length <= maxExcerpt-2
	}
	return length <= maxExcerpt
}
