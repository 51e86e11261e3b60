package article

import (
	"strings"
	"testing"
)

func TestDetect(t *testing.T) {
	tests := []struct {
		name, path, text string
		want             format
	}{
		{"nothing", "", "", plainText},
		{"plain text", "", "It rained. It poured.", plainText},
		{"text with a tag", "", "Use <b> for bold.", plainText},
		{"page", "", "\n<!DOCTYPE html><p>a", htmlPage},
		{"page without doctype", "", "<HTML lang=en>", htmlPage},
		{"page after a comment", "", "<!-- saved --> <html>", htmlPage},
		{"XHTML", "", `<?xml version="1.0"?> <html>`, htmlPage},
		{"fragment", "", "<p>a</p><p>b</p>", htmlPage},
		{"page named .txt", "a.txt", "<!doctype html>", htmlPage},
		{"page named .md", "a.md", "<html>", htmlPage},
		{"HTML by name", "a/b.HTML", "<script>1</script>", htmlPage},
		{"HTML only by name", "a.htm", "It rained, 1 < 2.", plainText},
		{"Markdown by name", "a.md", "It rained.", markdownText},
		{"Markdown with tags", "a.markdown", "<p>a</p><p>b</p>", markdownText},
		{"Markdown by heading", "", "It\n\n## Rain\n", markdownText},
		{"Markdown by front matter", "", "---\ntitle: a\n---\n", markdownText},
		{"Markdown by link", "a.txt", "See [here](https://example.org).", markdownText},
		{"hashtag", "", "#rain is trending", plainText},
		{"rule", "", "---\nIt rained.", plainText},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := detect(tt.path, tt.text); got != tt.want {
				t.Errorf("detect(%q, %q) = %d, want %d", tt.path, tt.text, got, tt.want)
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
