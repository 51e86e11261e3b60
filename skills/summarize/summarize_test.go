package main

import (
	"slices"
	"strings"
	"testing"
)

// of asks for a summary of text.
func of(text string, sentences int) summary {
	return summarize(request{Text: &text, Sentences: &sentences})
}

func TestBlocksAreNotFused(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"heading", "The bridge\n\nThe council decided to build it.", []string{"The council decided to build it."}},
		{"items", "- first of all\n- It is expensive.\n- last\n\nThey paid.", []string{"It is expensive.", "They paid."}},
		{"cells", "| It costs. | A lot. |\n\nThey paid.", []string{"They paid."}},
		{"headline that ends like a sentence", "## Who pays?\n\nThey paid.", []string{"They paid."}},
		{"HTML", "<h2>Bridge</h2><p>They built it.<ul><li>cheap<li>It lasts.</ul>", []string{"They built it.", "It lasts."}},
		{
			"a long paragraph without a full stop is a sentence",
			"Rain" + strings.Repeat(" and rain", 10), []string{"Rain" + strings.Repeat(" and rain", 10)},
		},
		{"data is not", strings.Repeat("0123456789abcdef", 1000) + ".", []string{}},
		{"nor are figures", "1. 2. 3.", []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := of(tt.text, 50).Sentences; !slices.Equal(got, tt.want) {
				t.Errorf("sentences = %q, want %q", got, tt.want)
			}
		})
	}
}

// TestLongText checks what is bounded: the number of sentences, their order,
// and that none is said twice, although the text repeats all of them.
func TestLongText(t *testing.T) {
	var b strings.Builder
	for _, m := range corpus(t) {
		if m.Language == "en" && strings.HasSuffix(m.File, ".txt") {
			b.WriteString(m.text + "\n\n")
		}
	}
	text := strings.Repeat(b.String(), 1<<19/b.Len())
	got := of(text, maxSentences)
	if len(got.Sentences) != maxSentences {
		t.Errorf("%d sentences, want %d", len(got.Sentences), maxSentences)
	}
	if once := of(b.String(), 1); got.Words != once.Words*(1<<19/b.Len()) {
		t.Errorf("%d words, want a multiple of %d", got.Words, once.Words)
	}
	slices.Sort(got.Sentences)
	if unique := slices.Compact(slices.Clone(got.Sentences)); len(unique) != len(got.Sentences) {
		t.Errorf("%d sentences are repeated", len(got.Sentences)-len(unique))
	}
}

// FuzzSummarize runs the whole skill on any text.
func FuzzSummarize(f *testing.F) {
	f.Add("a.html", "<article><h1>Rain</h1><p>It rained, e.g. on Monday. It poured.</article>", 3)
	f.Add("", "# Rain\n\nIt rained. It rained. It *poured*.", 2)
	f.Add("a.txt", "Deszcz\n\nPadało w 1998 r. w Łodzi. Nikt tego nie pamięta.", 50)
	f.Fuzz(func(t *testing.T, path, text string, sentences int) {
		req := request{Path: path, Text: &text, Sentences: &sentences}
		if req.check() != nil {
			return
		}
		got := summarize(req)
		if len(got.Sentences) > sentences {
			t.Errorf("%d sentences, want at most %d", len(got.Sentences), sentences)
		}
		for _, s := range got.Sentences {
			if s == "" || len(strings.Fields(s)) > got.Words {
				t.Errorf("sentence %q of a text of %d words", s, got.Words)
			}
		}
	})
}
