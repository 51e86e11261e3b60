package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const articles = "../../testdata/articles"

// marked is what testdata/facts.json says about one article.
type marked struct {
	File        string
	Language    string
	Title       string
	Facts       []fact
	Boilerplate []string

	text string
}

// fact is something a good summary says.
type fact struct {
	Fact string   // in words, for the reader
	All  []string // patterns, all of which one sentence must match
}

// in reports whether one of the sentences states the fact.
func (f fact) in(sentences []string) bool {
	return slices.ContainsFunc(sentences, func(sentence string) bool {
		for _, pattern := range f.All {
			if !regexp.MustCompile("(?i)" + pattern).MatchString(sentence) {
				return false
			}
		}
		return true
	})
}

// corpus reads the articles and what has been marked in them.
func corpus(t *testing.T) []marked {
	t.Helper()
	data, err := os.ReadFile("testdata/facts.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Articles []marked }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for i, m := range file.Articles {
		text, err := os.ReadFile(filepath.Join(articles, m.File))
		if err != nil {
			t.Fatal(err)
		}
		file.Articles[i].text = string(text)
	}
	return file.Articles
}

// summarize asks for a summary of the article.
func (m marked) summarize(sentences int) summary {
	return summarize(request{Path: m.File, Text: &m.text, Sentences: &sentences})
}

// TestCorpusIsComplete checks the corpus itself: all files are marked, and
// they have the length and the mixture of languages and formats they should.
func TestCorpusIsComplete(t *testing.T) {
	files, err := os.ReadDir(articles)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{"files": len(files)}
	for _, m := range corpus(t) {
		count[m.Language]++
		count[filepath.Ext(m.File)]++
		if words := m.summarize(1).Words; words < 350 || words > 900 {
			t.Errorf("%s has %d words, want 350 to 900", m.File, words)
		}
	}
	want := map[string]int{"files": 20, "en": 13, "pl": 4, "de": 3, ".html": 5, ".txt": 10, ".md": 5}
	for key, n := range want {
		if count[key] != n {
			t.Errorf("%s: %d, want %d", key, count[key], n)
		}
	}
}

// TestFactsAreCovered measures the summaries against the marked facts, and
// against the simplest of all summaries, the beginning of the article.
func TestFactsAreCovered(t *testing.T) {
	inThree, inFive, inLead, total := 0, 0, 0, 0
	for _, m := range corpus(t) {
		short := m.covered(m.summarize(3).Sentences)
		if short == 0 {
			t.Errorf("%s: three sentences state no fact", m.File)
		}
		all := allSentences(m)
		if n := m.covered(all); n < len(m.Facts) {
			t.Errorf("%s states only %d of its %d facts", m.File, n, len(m.Facts))
		}
		inLead += m.covered(all[:5])
		inThree += short
		inFive += m.covered(m.summarize(5).Sentences)
		total += len(m.Facts)
	}
	t.Logf("of %d facts three sentences state %d, five %d, the first five %d", total, inThree, inFive, inLead)
	if float64(inFive) < 0.6*float64(total) {
		t.Errorf("five sentences state %d of %d facts, want at least 60 %%", inFive, total)
	}
	if inFive <= inLead {
		t.Errorf("five sentences state %d facts, the first five of each article %d", inFive, inLead)
	}
}

// covered counts the facts that the sentences state.
func (m marked) covered(sentences []string) int {
	n := 0
	for _, f := range m.Facts {
		if f.in(sentences) {
			n++
		}
	}
	return n
}

// TestTitles checks that the headline is found.
func TestTitles(t *testing.T) {
	for _, m := range corpus(t) {
		if got := m.summarize(1).Title; got != m.Title {
			t.Errorf("%s: title = %q, want %q", m.File, got, m.Title)
		}
	}
}

// TestSentencesAreVerbatim looks up the chosen sentences in a body that was
// made by other means: the file itself, or for HTML the checked-in text.
func TestSentencesAreVerbatim(t *testing.T) {
	for _, m := range corpus(t) {
		body := m.body(t)
		last := 0
		for _, sentence := range m.summarize(maxSentences).Sentences {
			at := strings.Index(body[last:], sentence)
			if at < 0 {
				t.Errorf("%s: not in the article, or not in its order: %q", m.File, sentence)
				continue
			}
			last += at + len(sentence)
		}
	}
}

// markdownMarks are the inline marks that occur in the test articles.
var markdownMarks = regexp.MustCompile(`\*+|\]\([^)]*\)|\[|(?m)^(#+|>|-) `)

// body returns the text of the article with its white space collapsed.
func (m marked) body(t *testing.T) string {
	t.Helper()
	text := m.text
	switch filepath.Ext(m.File) {
	case ".md":
		text = markdownMarks.ReplaceAllString(text, "")
	case ".html":
		text = golden(t, m.File)
	}
	return strings.Join(strings.Fields(text), " ")
}

// TestBoilerplateIsAbsent asks for as many sentences as possible: none may
// come from around the article.
func TestBoilerplateIsAbsent(t *testing.T) {
	for _, m := range corpus(t) {
		all := strings.Join(allSentences(m), "\n")
		for _, boilerplate := range m.Boilerplate {
			if strings.Contains(all, boilerplate) {
				t.Errorf("%s: %q was taken for a part of the article", m.File, boilerplate)
			}
			if !strings.Contains(strings.Join(strings.Fields(m.text), " "), boilerplate) {
				t.Errorf("%s: boilerplate %q is not even in the file", m.File, boilerplate)
			}
		}
	}
}
