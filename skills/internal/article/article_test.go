package article

import (
	"strings"
	"testing"
)

func TestDetect(t *testing.T) {
	tests := []struct {
		name, path, text string
		want             Format
	}{
		{"nothing", "", "", Text},
		{"plain text", "", "It rained. It poured.", Text},
		{"text with a tag", "", "Use <b> for bold.", Text},
		{"page", "", "\n<!DOCTYPE html><p>a", HTML},
		{"page without doctype", "", "<HTML lang=en>", HTML},
		{"page after a comment", "", "<!-- saved --> <html>", HTML},
		{"XHTML", "", `<?xml version="1.0"?> <html>`, HTML},
		{"fragment", "", "<p>a</p><p>b</p>", HTML},
		{"page named .txt", "a.txt", "<!doctype html>", HTML},
		{"page named .md", "a.md", "<html>", HTML},
		{"HTML by name", "a/b.HTML", "<script>1</script>", HTML},
		{"HTML only by name", "a.htm", "It rained, 1 < 2.", Text},
		{"Markdown by name", "a.md", "It rained.", Markdown},
		{"Markdown with tags", "a.markdown", "<p>a</p><p>b</p>", Markdown},
		{"Markdown by heading", "", "It\n\n## Rain\n", Markdown},
		{"Markdown by front matter", "", "---\ntitle: a\n---\n", Markdown},
		{"Markdown by link", "a.txt", "See [here](https://example.org).", Markdown},
		{"hashtag", "", "#rain is trending", Text},
		{"rule", "", "---\nIt rained.", Text},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Detect(tt.path, tt.text); got != tt.want {
				t.Errorf("Detect(%q, %q) = %s, want %s", tt.path, tt.text, got, tt.want)
			}
		})
	}
}

// TestParse reads the same article in three notations.
func TestParse(t *testing.T) {
	const rain = "It rained on Monday, on Tuesday, and, as nobody had expected, on Wednesday, too."
	for path, text := range map[string]string{
		"a.txt":  "\ufeffRain in June\n\n" + rain,
		"a.md":   "# Rain in June\n\n" + strings.Replace(rain, "Monday", "*Monday*", 1),
		"a.html": "<title>Rain in June</title><h1>Rain in June</h1><p>" + rain,
	} {
		doc := Parse(path, text)
		if doc.Title != "Rain in June" {
			t.Errorf("%s: title = %q", path, doc.Title)
		}
		if last := doc.Blocks[len(doc.Blocks)-1].Text; last != rain {
			t.Errorf("%s: last block = %q, want %q", path, last, rain)
		}
	}
}
