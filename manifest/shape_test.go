package manifest

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"
)

func TestShape(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, schema, want string }{
		{"none", ``, "no"},
		{"anything", `{}`, "anything"},
		{"true", `true`, "anything"},
		{"false", `false`, "nothing"},
		{"only words", `{"title": "t", "description": "d", "$schema": "s"}`, "anything"},
		{"a string", `{"type": "string"}`, "string"},
		{"a bounded string", `{"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^a"}`, "string 1..20"},
		{"a format", `{"type": "string", "format": "date-time"}`, "string (date-time)"},
		{"an integer", `{"type": "integer", "minimum": 1, "maximum": 20}`, "integer 1..20"},
		{"at least", `{"type": "integer", "minimum": 0}`, "integer 0.."},
		{"at most", `{"type": "number", "maximum": 0.5}`, "number ..0.5"},
		{"more and less", `{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}`, "number >0 <1"},
		{"types", `{"type": ["string", "null"], "maxLength": 3}`, "string ..3 | null"},
		{"an enum", `{"type": "string", "enum": ["low", "high", 3, null]}`, `"low" | "high" | 3 | null`},
		{"a constant", `{"const": {"a": 1}}`, `{"a":1}`},
		{"alternatives", `{"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "string", "pattern": "x"}]}`, "string | integer"},
		{"an object", `{"type": "object", "required": ["text"], "properties": {"sentences": {"type": "integer", "minimum": 1, "maximum": 20}, "text": {"type": "string"}}}`,
			"object {text: string, sentences?: integer 1..20}"},
		{"an object by its keywords", `{"required": ["b", "a", "b"], "properties": {"a": {"type": "boolean"}}}`, "object {b: anything, a: boolean}"},
		{"any object", `{"type": "object"}`, "object"},
		{"a map", `{"type": "object", "additionalProperties": {"type": "number"}}`, "object {*: number}"},
		{"an array", `{"type": "array", "items": {"type": "string"}, "maxItems": 5}`, "array ..5 of string"},
		{"an array by its keyword", `{"items": {"properties": {"url": {"type": "string"}}}}`, "array of object {url?: string}"},
		{"any array", `{"type": "array"}`, "array"},
		{"a reference", `{"properties": {"a": {"$ref": "#/$defs/a~1b"}}, "$defs": {"a/b": {"type": "null"}}}`, "object {a?: null}"},
		{"a strange name", `{"properties": {"a b": true, "é": true, "": true}}`, `object {""?: anything, "a b"?: anything, é?: anything}`},
		{"a reference elsewhere", `{"properties": {"a": {"$ref": "https://a.example/s"}, "b": {"$ref": "#n"}, "c": {"$ref": "#/x/y"}}}`, "object {a?: …, b?: …, c?: …}"},
		{"what has its own base", `{"$id": "https://a.example/s", "properties": {"a": {"$id": "n", "$ref": "#/$defs/b"}}, "$defs": {"b": true}}`, "object {a?: …}"},
		{"what takes more words", `{"properties": {"a": {"not": {}}}}`, "object {a?: …}"},
		{"what takes more words at the root", `{"type": "object", "allOf": [true]}`, "yes"},
		{"an unknown type", `{"type": "date"}`, "yes"},
		{"no schema", `7`, "yes"},
		{"no JSON", `{`, "yes"},
		{"itself", `{"$ref": "#"}`, "yes"},
		{"recursive", `{"properties": {"v": {"type": "integer"}, "next": {"$ref": "#"}}}`, "object {next?: object {next?: …, v?: integer}, v?: integer}"},
		{"control characters", "{\"properties\": {\"a\\u001b[2J\": {\"const\": \"\\u0007\\u202e\"}}}", `object {"a\u001b[2J"?: "\u0007�"}`},
	} {
		if got := Shape([]byte(tt.schema)); got != tt.want {
			t.Errorf("%s: Shape() = %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestShapeOfSkills: those of the project are shown whole.
func TestShapeOfSkills(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"secscan/input":    "object {path: string, text: string}",
		"secscan/output":   `object {findings: array of object {line: integer 1.., rule: string, severity: "critical" | "high" | "medium" | "low", excerpt: string}}`,
		"summarize/input":  `object {text: string ..1048576, format?: "text" | "markdown" | "html", path?: string, sentences?: integer 1..50, status?: integer, title?: string, truncated?: boolean, url?: string}`,
		"wordcount/output": "object {lines: integer 0.., words: integer 0.., bytes: integer 0..}",
	} {
		schema, err := os.ReadFile("../skills/" + file + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}
		if got := Shape(schema); got != want {
			t.Errorf("Shape(%s) = %s, want %s", file, got, want)
		}
	}
}

// TestShapeIsBounded: what is deep, wide or makes much out of little ends in "…".
func TestShapeIsBounded(t *testing.T) {
	t.Parallel()
	wide, fan := `{"properties": {`, `{"$ref": "#/$defs/d0", "$defs": {`
	for i := range 1000 {
		wide += fmt.Sprintf(`"p%04d": {"type": "string"}, `, i)
	}
	for i := range 40 {
		next := fmt.Sprintf(`{"$ref": "#/$defs/d%d"}`, i+1)
		fan += fmt.Sprintf(`"d%d": {"anyOf": [%s]}, `, i, strings.Join([]string{next, next, next, next, next, next, next, next}, ", "))
	}
	for name, schema := range map[string]string{
		"wide":      wide + `"z": true}}`,
		"deep":      strings.Repeat(`{"items": `, 90) + "true" + strings.Repeat("}", 90),
		"fan":       `{"properties": {"a": ` + fan + `"d40": true}}}}`,
		"constants": `{"enum": ["` + strings.Join(strings.Split(strings.Repeat("x", 999), ""), strings.Repeat("y", 99)+`", "`) + `"]}`,
		"long name": `{"properties": {"` + strings.Repeat("é", 999) + `": true}}`,
	} {
		got := Shape([]byte(schema))
		if len(got) > shapeBytes || !strings.Contains(got, "…") {
			t.Errorf("Shape(%s) = %d bytes: %s", name, len(got), got)
		}
	}
}

// FuzzShape: whatever the schema, one short line that moves no cursor.
func FuzzShape(f *testing.F) {
	for _, seed := range []string{`{}`, `{"$ref": "#/$ref"}`, items, `{"type": [[], {}]}`, `{"enum": [], "anyOf": []}`, `{"properties": [], "required": {}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, schema []byte) {
		got := Shape(schema)
		if got == "" || len(got) > shapeBytes || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("Shape(%q) = %q", schema, got)
		}
	})
}
