package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestAnswer(t *testing.T) {
	tests := []struct{ name, input, want string }{
		{
			"plain text", `{"text":"Rain\n\nIt rained on Monday. It poured on Tuesday.","sentences":1}`,
			`{"title":"Rain","sentences":["It rained on Monday."],"words":8}`,
		},
		{
			"characters are not escaped", `{"text":"The R&D <lab> burned down."}`,
			`{"sentences":["The R&D <lab> burned down."],"words":5}`,
		},
		{
			"what fetch answers",
			`{"url":"https://example.com/rain","status":200,"title":"On rain","text":"Rain\n\nIt rained </p>on</p> Monday.","format":"text","truncated":true}`,
			`{"url":"https://example.com/rain","title":"On rain","sentences":["It rained </p>on</p> Monday."],"words":4}`,
		},
		{"empty text", `{"text":""}`, `{"sentences":[],"words":0}`},
		{"text without a sentence", `{"text":"# Rain\n\n- a\n- b"}`, `{"title":"Rain","sentences":[],"words":0}`},
		{"no sentences in HTML", `{"path":"a.html","text":"<p>"}`, `{"sentences":[],"words":0}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := answer([]byte(tt.input)); err != nil || string(got) != tt.want {
				t.Errorf("answer() = %s, %v\nwant       %s", got, err, tt.want)
			}
		})
	}
}

func TestAnswerRejectsRequests(t *testing.T) {
	tests := []struct{ name, input, want string }{
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
		{"unknown field", `{"text":"a","lang":"de"}`, `unknown field "lang"`},
		{"unknown format", `{"text":"a","format":"pdf"}`, `"format" is "pdf", want text, markdown or html`},
		{"no sentences", `{"text":"a","sentences":0}`, `"sentences" is 0, want 1 to 50`},
		{"too many", `{"text":"a","sentences":51}`, `"sentences" is 51, want 1 to 50`},
		{"negative", `{"text":"a","sentences":-1}`, `"sentences" is -1`},
		{"half a sentence", `{"text":"a","sentences":1.5}`, "cannot unmarshal number 1.5"},
		{"sentences as text", `{"text":"a","sentences":"3"}`, "cannot unmarshal string"},
		{"path is a list", `{"text":"a","path":[]}`, "cannot unmarshal array"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := answer([]byte(tt.input))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("answer() = %s, %v; want one line with %q", got, err, tt.want)
			}
		})
	}
}

// TestExample runs the example of the manifest.
func TestExample(t *testing.T) {
	example, err := os.ReadFile("example.json")
	if err != nil {
		t.Fatal(err)
	}
	result, err := answer(example)
	if err != nil {
		t.Fatal(err)
	}
	var got summary
	if err := json.Unmarshal(result, &got); err != nil {
		t.Fatal(err)
	}
	if got.Title == "" || len(got.Sentences) != 2 {
		t.Errorf("summary = %+v, want a title and two sentences", got)
	}
}
