package main

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/hive-spore/hive/skills/internal/article"
)

// response is what a server answered.
type response struct {
	status   int
	url      string // where it came from after redirects, else ""
	kind     string // the header content-type
	encoding string // the header content-encoding
	body     []byte
}

// passing is a failure that another attempt may not meet.
type passing struct{ error }

func (p passing) Unwrap() error { return p.error }

// read makes a document of a response, if it is one of an article. Its errors are
// one line that names the page.
func (q *request) read(r *response) (*document, error) {
	address := r.url
	if address == "" {
		address = q.URL
	}
	if err := r.refused(); err != nil {
		return nil, fmt.Errorf("%.500s: %w", address, err)
	}
	d, err := r.document(address)
	if err != nil {
		return nil, fmt.Errorf("%.500s: %w", address, err)
	}
	d.URL, d.Status = address, r.status
	d.fit(q.MaxChars)
	return d, nil
}

// busy are statuses by which a server says that it may answer later: too slow, too
// early, too often.
var busy = []int{408, 425, 429}

// refused is why a response has no page.
func (r *response) refused() error {
	switch {
	case r.status >= 500 || slices.Contains(busy, r.status):
		return passing{fmt.Errorf("the server answered with status %d", r.status)}
	case r.status < 200 || r.status >= 300:
		return fmt.Errorf("the server answered with status %d", r.status)
	}
	if packed := strings.ToLower(strings.TrimSpace(r.encoding)); packed != "" && packed != "identity" {
		return fmt.Errorf("the server packed the page (%.40s) without being asked to", packed)
	}
	return nil
}

// document reads the body by its type, and the article in it.
func (r *response) document(address string) (*document, error) {
	kind, parameters, _ := strings.Cut(r.kind, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	format, known := formatOf(kind, address)
	if !known {
		return nil, fmt.Errorf("it is %.100s; HTML, XHTML, Markdown and plain text can be read", kind)
	}
	label := charsetOf(parameters)
	if label == "" && format != article.Markdown && kind != "text/plain" {
		label = declared(r.body)
	}
	text, err := decode(r.body, label)
	if err != nil {
		return nil, err
	}
	if kind == "" {
		if strings.ContainsRune(text, 0) {
			return nil, fmt.Errorf("it is something that the server does not name; HTML, XHTML, Markdown and plain text can be read")
		}
		format = article.Detect(pathOf(address), text)
	}
	return newDocument(format, text), nil
}

// formatOf says how an article of a content type is written. Servers of files tend
// to call Markdown plain text.
func formatOf(kind, address string) (format article.Format, known bool) {
	switch kind {
	case "text/html", "application/xhtml+xml":
		return article.HTML, true
	case "text/markdown", "text/x-markdown":
		return article.Markdown, true
	case "text/plain":
		name := strings.ToLower(pathOf(address))
		if strings.HasSuffix(name, ".md") || strings.HasSuffix(name, ".markdown") {
			return article.Markdown, true
		}
		return article.Text, true
	}
	return "", kind == ""
}

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Path
}

var charsetParameter = regexp.MustCompile(`(?i)\bcharset\s*=\s*["']?([^\s"';]+)`)

// charsetOf returns the charset that parameters of a content type name, or "".
func charsetOf(parameters string) string {
	if found := charsetParameter.FindStringSubmatch(parameters); found != nil {
		return found[1]
	}
	return ""
}
