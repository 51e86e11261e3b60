package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hive-spore/hive/skills/internal/article"
)

const address = "https://example.com/a"

func page(kind, body string) *response {
	return &response{status: 200, kind: kind, body: []byte(body)}
}

func TestRead(t *testing.T) {
	const html = "<title>T</title><p>It rained in Łódź on Monday, and it went on.</p>"
	const said = "It rained in Łódź on Monday, and it went on."
	latin2 := strings.NewReplacer("Ł", "\xa3", "ó", "\xf3", "ź", "\xbc").Replace(html)
	for _, tt := range []struct {
		name, url string
		response  *response
		want      document
	}{
		{"HTML", address, page("text/html", html), document{Title: "T", Text: said, Format: article.Markdown}},
		{"XHTML", address, page("application/xhtml+xml; charset=utf-8", html), document{Title: "T", Text: said, Format: article.Markdown}},
		{"by the header", address, page(`Text/HTML ;charset="ISO-8859-2"`, latin2), document{Title: "T", Text: said, Format: article.Markdown}},
		{"by the page", address, page("text/html", `<meta charset=iso-8859-2>`+latin2), document{Title: "T", Text: said, Format: article.Markdown}},
		{"the header wins", address, page("text/html; charset=utf-8", `<meta charset=iso-8859-2>`+html), document{Title: "T", Text: said, Format: article.Markdown}},
		{"by nobody", address, page("", "<html>"+html), document{Title: "T", Text: said, Format: article.Markdown}},
		{"text by nobody", address, page("", "It rained."), document{Text: "It rained."}},
		{"plain text is not read as HTML", address, page("text/plain", "<html><p>a</p>\r\n\x00<p>b</p>\n"), document{Text: "<html><p>a</p>\n<p>b</p>"}},
		{"nor asked for its encoding", address, page("text/plain", "<meta charset=iso-8859-2>ó"), document{Text: "<meta charset=iso-8859-2>ó"}},
		{"Markdown", address, page("text/markdown", "# Rain\n\nIt *rained*."), document{Title: "Rain", Text: "# Rain\n\nIt *rained*.", Format: article.Markdown}},
		{"Markdown by name", "https://example.com/README.md?raw", page("text/plain", "# Rain\n\nIt *rained*."),
			document{Title: "Rain", Text: "# Rain\n\nIt *rained*.", Format: article.Markdown, URL: "https://example.com/README.md?raw"}},
		{"redirected", address, &response{200, "https://example.com/b", "text/plain", "identity", []byte("b")}, document{URL: "https://example.com/b", Text: "b"}},
		{"nothing", address, &response{status: 204}, document{Status: 204}},
		{"no article", address, page("text/html", "<div id=root></div><script>1</script>"), document{Format: article.Markdown}},
	} {
		if tt.want.URL == "" {
			tt.want.URL = address
		}
		if tt.want.Format == "" {
			tt.want.Format = article.Text
		}
		tt.want.Status = max(tt.want.Status, 200)
		q := request{URL: tt.url}
		if got, err := q.read(tt.response); err != nil || *got != tt.want {
			t.Errorf("%s: %+v, %v\nwant %+v", tt.name, got, err, tt.want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct {
		response *response
		passing  bool
		want     string
	}{
		{&response{status: 404}, false, address + ": the server answered with status 404"},
		{&response{status: 410, url: "https://example.com/b"}, false, "https://example.com/b: the server answered with status 410"},
		{&response{status: 304}, false, "status 304"},
		{&response{status: 101}, false, "status 101"},
		{&response{status: 408}, true, "status 408"},
		{&response{status: 425}, true, "status 425"},
		{&response{status: 429}, true, "status 429"},
		{&response{status: 500}, true, "status 500"},
		{&response{status: 503}, true, "status 503"},
		{page("application/pdf", "%PDF"), false, "it is application/pdf; HTML, XHTML, Markdown and plain text can be read"},
		{page("application/json; charset=utf-8", "{}"), false, "it is application/json; HTML"},
		{page("text/csv", "a,b"), false, "it is text/csv"},
		{page("", "\x89PNG\x00"), false, "it is something that the server does not name"},
		{page("text/html; charset=shift_jis", ""), false, `its characters are "shift_jis", which cannot be read; UTF-8`},
		{&response{200, "", "text/html", "GZIP", nil}, false, "the server packed the page (gzip) without being asked to"},
	} {
		q := request{URL: address}
		_, err := q.read(tt.response)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "https://example.com/") {
			t.Errorf("%d %s: %v, want %q", tt.response.status, tt.response.kind, err, tt.want)
		}
		if got := errors.As(err, new(passing)); got != tt.passing {
			t.Errorf("%v: passing = %v, want %v", err, got, tt.passing)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		text  string
		chars int
		want  string
	}{
		{"ein süßer Brei", 14, "ein süßer Brei"},
		{"ein süßer Brei", 13, "ein süßer"},
		{"ein süßer Brei", 9, "ein süßer"},
		{"ein süßer Brei", 8, "ein"},
		{"Süßigkeit", 4, "Süßi"},
		{"a\n\nb", 3, "a"},
		{"", 1, ""},
	} {
		got, more := cut(tt.text, tt.chars)
		if got != tt.want || more != (got != tt.text) {
			t.Errorf("cut(%q, %d) = %q, %v; want %q", tt.text, tt.chars, got, more, tt.want)
		}
	}
}

// TestLargest: whatever a page of 1 MiB holds, its document fits into a result.
func TestLargest(t *testing.T) {
	const most = 1 << 20
	far := "https://example.com/" + strings.Repeat("a", 60<<10)
	for name, r := range map[string]*response{
		"quotes":     page("text/plain", strings.Repeat(`"`, most)),
		"controls":   page("text/plain", strings.Repeat("\x01a", most/2)),
		"separators": page("text/plain", strings.Repeat("a\u2028", most/4)),
		"latin":      page("text/plain", strings.Repeat("\xe9", most)),
		"broken":     page("text/plain; charset=utf-8", strings.Repeat("a\xe9", most/2)),
		"UTF-16":     page("text/plain; charset=utf-16", strings.Repeat("\xac\x20", most/2)),
		"HTML":       page("text/html", "<title>"+strings.Repeat(`\`, most/2)+"</title><p>"+strings.Repeat("&quot;", most/12)+"</p>"),
	} {
		r.url = far
		q := request{URL: address}
		d, err := q.read(r)
		if err != nil {
			t.Fatal(name, err)
		}
		out, err := d.encode()
		if err != nil || len(out) > most || len(out) < most/8 || !utf8.Valid(out) {
			t.Errorf("%s: %d bytes, %v", name, len(out), err)
		}
	}
}

// TestTextKeepsBlocks: what summarize reads of an article's text is what it reads of
// the page.
func TestTextKeepsBlocks(t *testing.T) {
	pages, err := filepath.Glob("../../testdata/articles/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	for _, name := range pages {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := article.HTML.Parse(string(source))
		d := newDocument(article.HTML, string(source))
		got := d.Format.Parse(d.Text)
		if d.Title != want.Title || !slices.Equal(got.Blocks, want.Blocks) {
			t.Errorf("%s: %q, %q\nwant %q, %q", name, d.Title, got.Blocks, want.Title, want.Blocks)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("text/html; charset=iso-8859-2", []byte("<p>a\xbc</p>"), 3)
	f.Add("", []byte("\xff\xfea\x00b"), 1)
	f.Add("text/markdown", []byte("# a\n\n- b\xff"), 0)
	f.Fuzz(func(t *testing.T, kind string, body []byte, chars int) {
		q := request{URL: address, MaxChars: &chars}
		d, err := q.read(&response{200, "", kind, "", body})
		if err != nil {
			if !strings.HasPrefix(err.Error(), address) {
				t.Errorf("error %q does not name the page", err)
			}
			return
		}
		out, err := d.encode()
		var back document
		if errBack := json.Unmarshal(out, &back); err != nil || errBack != nil || back != *d {
			t.Errorf("%+v is encoded as %s: %v, %v", d, out, err, errBack)
		}
		if utf8.RuneCountInString(d.Text) > max(chars, 0) {
			t.Errorf("%d characters, want at most %d", utf8.RuneCountInString(d.Text), chars)
		}
	})
}
