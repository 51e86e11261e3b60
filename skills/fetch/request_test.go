package main

import (
	"strings"
	"testing"
)

func TestReadRequest(t *testing.T) {
	for input, want := range map[string]string{
		`{"url":"https://example.com"}`:                   "https://example.com",
		`{"url":" https://example.com/a?b#c \n"}`:         "https://example.com/a?b",
		`{"url":"HTTP://example.com/zażółć?q=ź a"}`:       "http://example.com/za%C5%BC%C3%B3%C5%82%C4%87?q=%C5%BA%20a",
		`{"url":"https://example.com/a b%20c"}`:           "https://example.com/a%20b%20c",
		`{"url":"http://[::1]:8080/", "max_chars": 1}`:    "http://[::1]:8080/",
		`{"url":"https://example.com", "max_chars":null}`: "https://example.com",
	} {
		if q, err := readRequest([]byte(input)); err != nil || q.URL != want {
			t.Errorf("readRequest(%s) = %+v, %v; want %s", input, q, err, want)
		}
	}
}

func TestReadRequestRejects(t *testing.T) {
	for _, tt := range []struct{ name, input, want string }{
		{"nothing", ``, "decode request: EOF"},
		{"no JSON", `https://example.com`, "decode request: invalid character"},
		{"two values", `{"url":"https://a.example"} {}`, "more than one JSON value"},
		{"no URL", `{}`, `"url" is missing`},
		{"unknown field", `{"url":"https://a.example","method":"POST"}`, `unknown field "method"`},
		{"no characters", `{"url":"https://a.example","max_chars":0}`, `"max_chars" is 0, want 1 or more`},
		{"no host", `{"url":"https:///a"}`, `"url" is "https:///a", want https://HOST/PATH`},
		{"no scheme", `{"url":"example.com/a"}`, `"url" is "example.com/a", want https://HOST/PATH`},
		{"another scheme", `{"url":"file:///etc/passwd"}`, `"url" is "file:///etc/passwd", want`},
		{"a scheme with a host", `{"url":"ftp://example.com"}`, `"url" is "ftp://example.com", want`},
		{"a broken escape", `{"url":"https://example.com/%zz"}`, `want https://HOST/PATH`},
		{"a newline", `{"url":"https://example.com/\n"}{`, "more than one JSON value"},
		{"a newline within", `{"url":"https://example.com/\nx: y"}`, `want https://HOST/PATH`},
	} {
		if _, err := readRequest([]byte(tt.input)); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", tt.name, err, tt.want)
		}
	}
}
