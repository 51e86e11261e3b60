package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct{ input, want string }{
		{`{"path": "a.go", "text": ""}`, `{"findings":[]}` + "\n"},
		{`{"text": "verify_ssl: false\n", "path": "a.yaml"} `, // secscan:ignore -- what is to be found
			`{"findings":[{"line":1,"rule":"tls-verify-env","severity":"high","excerpt":"verify_ssl: false"}]}` + "\n"}, // secscan:ignore
		{`{"path": "a.go", "text": "\ud800 \u0000"}`, `{"findings":[]}` + "\n"},
	}
	for _, test := range tests {
		if got, err := answer([]byte(test.input)); err != nil || string(got) != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.input, got, err, test.want)
		}
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]string{
		"":                              "EOF",
		"{":                             "unexpected EOF",
		"[]":                            "cannot unmarshal array",
		"null":                          `"path" is missing`,
		"{}":                            `"path" is missing`,
		`{"path": "", "text": "x"}`:     `"path" is missing`,
		`{"path": "a.go"}`:              `"text" is missing`,
		`{"path": 1, "text": "x"}`:      "cannot unmarshal number",
		`{"path": "a", "txt": "x"}`:     "unknown field",
		`{"path": "a", "text": "x"} {}`: "more than one JSON value",
	} {
		got, err := answer([]byte(input))
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %q, %v, want a line with %q", input, got, err, want)
		}
	}
}

// The files next to the program must agree with it.
func TestExampleAndSchemas(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("example.json")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := answer(example); err != nil || !strings.Contains(string(got), `"line":`) {
		t.Errorf("the example gives %q, %v, want findings", got, err)
	}
	for _, file := range []string{"input.schema.json", "output.schema.json"} {
		text, err := os.ReadFile(file)
		if err != nil || !json.Valid(text) {
			t.Errorf("%s is not JSON: %v", file, err)
		}
	}
}

func TestReadmeListsEveryRule(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range ruleset().rules {
		if !strings.Contains(string(readme), "`"+r.id+"`") {
			t.Errorf("README.md does not mention %s (%s: %s)", r.id, r.severity, r.about)
		}
	}
}

func TestRuleset(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, r := range ruleset().rules {
		if known[r.id] || r.about == "" || r.find == nil {
			t.Errorf("%s is there twice, or without a description or a finder", r.id)
		}
		known[r.id] = true
		for _, keyword := range r.keywords {
			if len(keyword) < startLength || keyword != strings.ToLower(keyword) {
				t.Errorf("%s: keyword %q is too short or not in lower case", r.id, keyword)
			}
		}
		if len(r.keywords) == 0 && r.kinds&^(kindRequirements|kindNPM|kindGoMod) != 0 || len(r.keywords) == 0 && r.kinds == 0 {
			t.Errorf("%s: tried on every line of large files", r.id)
		}
	}
	if used := ruleset().keywords.used; int(used) >= maxClasses {
		t.Errorf("the keywords have %d different bytes, the index has room for %d", used, maxClasses-1)
	}
}

// ownSources returns the Go files of this folder by name.
func ownSources(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	sources := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources[file] = string(text)
	}
	return sources
}
