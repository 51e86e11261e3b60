package main

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func FuzzScan(f *testing.F) {
	for _, c := range ruleCases() {
		for _, line := range append(c.found, c.clean...) {
			f.Add(c.file, fixture(line))
		}
	}
	f.Add("a.js", strings.Repeat("x", 2*maxPlace)+fixture(" pa¦ssword = 'hunter2¦!'"))
	f.Fuzz(func(t *testing.T, path, text string) {
		lines := scanLines(path, text)
		count := strings.Count(text, "\n") + 1
		for _, finding := range report(lines) {
			if finding.Line < 1 || finding.Line > count {
				t.Errorf("line %d of %d", finding.Line, count)
			}
			checkExcerpt(t, finding, lines)
		}
	})
}

func checkExcerpt(t *testing.T, finding Finding, lines []scannedLine) {
	t.Helper()
	if !utf8.ValidString(finding.Excerpt) || utf8.RuneCountInString(finding.Excerpt) > maxExcerpt {
		t.Errorf("bad excerpt %q", finding.Excerpt)
	}
	if strings.ContainsFunc(finding.Excerpt, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("excerpt %q has characters that cannot be printed", finding.Excerpt)
	}
	for _, line := range lines {
		for _, s := range line.secrets {
			secret := line.text[s.start:s.end]
			known := line.number == finding.Line || len(secret) >= sharedLength
			if known && mustStayHidden(secret) && strings.Contains(finding.Excerpt, secret) {
				t.Errorf("excerpt %q shows the secret %q", finding.Excerpt, secret)
			}
		}
	}
}

// mustStayHidden leaves out what an excerpt may show for another reason: the start of a secret, what is
// too short to be looked for, and what looks different there.
func mustStayHidden(secret string) bool {
	printable := utf8.ValidString(secret) && !strings.ContainsFunc(secret, func(r rune) bool { return !unicode.IsPrint(r) })
	return printable && utf8.RuneCountInString(secret) > maxShown && !strings.ContainsAny(secret, maskText+cutMark)
}
