package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// broken fails on the first write.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("pipe is gone") }

func TestRun(t *testing.T) {
	tests := []struct{ name, stdin, want string }{
		{
			"plain text", `{"text":"Rain\n\nIt rained on Monday. It poured on Tuesday.","sentences":1}`,
			`{"title":"Rain","sentences":["It rained on Monday."],"words":8}`,
		},
		{
			"characters are not escaped", `{"text":"The R&D <lab> burned down."}`,
			`{"sentences":["The R&D <lab> burned down."],"words":5}`,
		},
		{"empty text", `{"text":""}`, `{"sentences":[],"words":0}`},
		{"text without a sentence", `{"text":"# Rain\n\n- a\n- b"}`, `{"title":"Rain","sentences":[],"words":0}`},
		{"no sentences in HTML", `{"path":"a.html","text":"<p>"}`, `{"sentences":[],"words":0}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			if code := run(strings.NewReader(tt.stdin), &stdout, &stderr); code != 0 || stderr.Len() > 0 {
				t.Errorf("exit code = %d, stderr = %q; want 0 and nothing", code, stderr.String())
			}
			if stdout.String() != tt.want {
				t.Errorf("stdout = %s\nwant     %s", stdout.String(), tt.want)
			}
		})
	}
}

func TestRunRejectsRequests(t *testing.T) {
	tests := []struct{ name, stdin, want string }{
		{"nothing", ``, "decode request: EOF"},
		{"no JSON", `hello`, "decode request: invalid character"},
		{"cut off", `{"text":"a`, "decode request: unexpected EOF"},
		{"array", `[]`, "decode request: json: cannot unmarshal array"},
		{"two values", `{"text":"a"} {}`, "more than one JSON value"},
		{"garbage behind", `{"text":"a"} x`, "more than one JSON value"},
		{"no text", `{"sentences":3}`, `"text" is missing`},
		{"text is null", `{"text":null}`, `"text" is missing`},
		{"text is a number", `{"text":7}`, "cannot unmarshal number"},
		{"text too long", `{"text":"` + strings.Repeat("a", maxText+1) + `"}`, `"text" has 2097153 bytes`},
		{"request too long", `{"text":"` + strings.Repeat("a", maxRequest) + `"}`, "request is larger than"},
		{"unknown field", `{"text":"a","lang":"de"}`, `unknown field "lang"`},
		{"no sentences", `{"text":"a","sentences":0}`, `"sentences" is 0, want 1 to 50`},
		{"too many", `{"text":"a","sentences":51}`, `"sentences" is 51, want 1 to 50`},
		{"negative", `{"text":"a","sentences":-1}`, `"sentences" is -1`},
		{"half a sentence", `{"text":"a","sentences":1.5}`, "cannot unmarshal number 1.5"},
		{"sentences as text", `{"text":"a","sentences":"3"}`, "cannot unmarshal string"},
		{"path is a list", `{"text":"a","path":[]}`, "cannot unmarshal array"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			if code := run(strings.NewReader(tt.stdin), &stdout, &stderr); code != 1 || stdout.Len() > 0 {
				t.Errorf("exit code = %d, stdout = %q; want 1 and nothing", code, stdout.String())
			}
			checkMessage(t, stderr.String(), tt.want)
		})
	}
}

// checkMessage checks that an error is one line that says what is wrong.
func checkMessage(t *testing.T, got, want string) {
	t.Helper()
	if !strings.HasPrefix(got, "summarize: ") || !strings.Contains(got, want) || strings.Index(got, "\n") != len(got)-1 {
		t.Errorf("stderr = %q, want one line with %q", got, want)
	}
}

func TestRunReportsErrors(t *testing.T) {
	var stderr strings.Builder
	if code := run(iotest.ErrReader(errors.New("disk on fire")), io.Discard, &stderr); code != 1 {
		t.Errorf("exit code = %d, want 1", code)
	}
	checkMessage(t, stderr.String(), "disk on fire")
	stderr.Reset()
	if code := run(strings.NewReader(`{"text":""}`), broken{}, &stderr); code != 1 {
		t.Errorf("exit code = %d, want 1", code)
	}
	checkMessage(t, stderr.String(), "write result: pipe is gone")
}

// TestExample runs the example of the manifest.
func TestExample(t *testing.T) {
	example, err := os.Open("example.json")
	if err != nil {
		t.Fatal(err)
	}
	defer example.Close()
	var stdout, stderr strings.Builder
	if code := run(example, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code = %d: %s", code, stderr.String())
	}
	var got summary
	if err := json.Unmarshal([]byte(stdout.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Title == "" || len(got.Sentences) != 2 {
		t.Errorf("summary = %+v, want a title and two sentences", got)
	}
}
