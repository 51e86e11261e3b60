package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hive-spore/hive/skills/internal/article"
	"github.com/hive-spore/hive/skills/internal/block"
	"github.com/hive-spore/hive/skills/summarize/internal/lang"
)

var update = flag.Bool("update", false, "rewrite testdata/*.golden from the current extraction; read the diff")

// golden returns the text that must be extracted from an HTML article.
func golden(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(goldenPath(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func goldenPath(file string) string {
	return filepath.Join("testdata", strings.TrimSuffix(file, ".html")+".golden")
}

// render writes a document the way the golden files do: one block per
// paragraph, headings with a "#", items with a "-".
func render(doc block.Document) string {
	var b strings.Builder
	b.WriteString("title: " + doc.Title + "\n")
	for _, part := range doc.Blocks {
		b.WriteString("\n" + [...]string{"", "- ", "# "}[part.Kind] + part.Text + "\n")
	}
	return b.String()
}

// TestExtraction compares the HTML articles block by block with their texts.
func TestExtraction(t *testing.T) {
	for _, m := range corpus(t) {
		if filepath.Ext(m.File) != ".html" {
			continue
		}
		got := render(article.Parse(m.File, m.text))
		if *update {
			if err := os.WriteFile(goldenPath(m.File), []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := golden(t, m.File); got != want {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", m.File, got, want)
		}
	}
}

// allSentences returns every sentence of the body of an article.
func allSentences(m marked) []string {
	doc := article.Parse(m.File, m.text)
	var all []string
	for _, s := range bodySentences(doc, lang.Detect(bodyText(doc))) {
		all = append(all, s.Text)
	}
	return all
}
