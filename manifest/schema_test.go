package manifest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hive-spore/hive"
)

func compile(t testing.TB, schema string) *Schema {
	t.Helper()
	s, err := Compile([]byte(schema))
	if err != nil {
		t.Fatalf("Compile(%.200s): %v", schema, err)
	}
	return s
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

const items = `{"properties": {"items": {"items": {"properties": {"url": {"type": "string"}}}}}}`

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, schema, doc, want string }{
		{"fits", items, `{"items": [{"url": "x"}]}`, ""},
		{"type", items, `{"items": [{}, {}, {}, {"url": 5}]}`, "payload at /items/3/url: got number, want string"},
		{"first of two by place", items, `{"items": [` + strings.Repeat("{},", 9) + `{"url": 5}, {"url": 6}]}`, "payload at /items/9/url: got number, want string"},
		{"at the root", `{"type": "object"}`, `[]`, "payload: got array, want object"},
		{"pointer escapes", `{"additionalProperties": false, "properties": {"a/b~c": false}}`, `{"a/b~c": 1}`, "payload at /a~1b~0c: nothing is allowed here"},
		{"missing", `{"required": ["a", "b"]}`, `{"b": 1}`, "payload: missing property 'a'"},
		{"not allowed", `{"additionalProperties": false}`, `{"b": 1, "a": 2}`, "payload: additional properties 'a', 'b' not allowed"},
		{"reference", `{"$ref": "#/$defs/n", "$defs": {"n": {"minimum": 3}}}`, `2`, "payload: minimum: got 2, want 3"},
		{"anchor", `{"$ref": "#n", "$defs": {"n": {"$anchor": "n", "minimum": 3}}}`, `2`, "payload: minimum: got 2, want 3"},
		{"bundled", `{"$id": "https://a.example/s", "$ref": "n", "$defs": {"n": {"$id": "n", "minimum": 3}}}`, `2`, "payload: minimum: got 2, want 3"},
		{"recursive", `{"properties": {"next": {"$ref": "#"}}, "required": ["v"]}`, `{"v": 1, "next": {"v": 1, "next": {}}}`, "payload at /next/next: missing property 'v'"},
		{"any of types", `{"anyOf": [{"type": "string"}, {"type": "null"}]}`, `1`, "payload: got number, want null or string"},
		{"any of, one type fits", `{"anyOf": [{"type": "string", "minLength": 3}, {"type": "null"}]}`, `"x"`, "payload: minLength: got 1, want 3"},
		{"one of, by its mark", `{"oneOf": [{"properties": {"kind": {"const": "a"}, "x": {"type": "string"}}},
			{"properties": {"kind": {"const": "b"}, "x": {"type": "number"}}}]}`, `{"kind": "b", "x": "s"}`, "payload at /x: got string, want number"},
		{"one of, none stands out", `{"oneOf": [{"minimum": 3}, {"multipleOf": 7}]}`, `2`, "payload: fits none of the 2 alternatives"},
		{"one of, two fit", `{"oneOf": [{}, false, {}]}`, `2`, "payload: fits alternatives 1 and 3 of oneOf, want one only"},
		{"not", `{"not": {"type": "string"}}`, `"s"`, `payload: fits what "not" excludes`},
		{"enum", `{"enum": ["a", 1.0]}`, `1`, ""},
		{"wrong enum", `{"enum": ["a", "b"]}`, `1`, "payload: value must be one of 'a', 'b'"},
		{"contains", `{"contains": {"type": "string"}}`, `[1, 2]`, "payload: no items match contains schema"},
		{"property names", `{"propertyNames": {"maxLength": 1}}`, `{"ab": 1}`, "payload: invalid propertyName 'ab'"},
		{"format is only noted", `{"format": "uri"}`, `"no uri"`, ""},
		{"unevaluated", `{"allOf": [{"properties": {"a": true}}], "unevaluatedProperties": false}`, `{"a": 1, "b": 2}`, "payload at /b: nothing is allowed here"},
		{"nothing fits", `false`, `1`, "payload: nothing is allowed here"},
		{"empty", `{}`, " ", "payload is not JSON: it is empty"},
		{"cut off", `{}`, `{"a":`, "payload is not JSON: unexpected EOF"},
		{"two values", `{}`, `1 2`, "payload is not JSON: something follows the first value"},
		{"no JSON", `{}`, `hello`, "payload is not JSON: invalid character 'h' looking for beginning of value"},
		{"no UTF-8", `{}`, "\"\xff\"", "payload is not JSON: it is not UTF-8 text"},
		{"control characters", `{"additionalProperties": {"type": "string"}}`, `{"\u001b[2J\n": 1}`, "payload at /\uFFFD[2J : got number, want string"},
		{"large number", `{"minimum": 1}`, `[1e401]`, "payload at /0: number too long or too large"},
		{"long number", `{}`, `{"a": ` + strings.Repeat("1", 401) + `}`, "payload at /a: number too long or too large"},
		{"deep enough", `{}`, nest(100), ""},
		{"too deep", `{}`, nest(101), "nested deeper than 100 levels"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := message(compile(t, tt.schema).Check([]byte(tt.doc)))
			if got != tt.want && !(tt.name == "too deep" && strings.HasSuffix(got, tt.want)) {
				t.Errorf("Check(%.100s) = %q, want %q", tt.doc, got, tt.want)
			}
		})
	}
}

// nest is a 1 inside of n lists.
func nest(n int) string { return strings.Repeat("[", n) + "1" + strings.Repeat("]", n) }

func TestCheckResult(t *testing.T) {
	t.Parallel()
	err := compile(t, `{"properties": {"score": {"type": "number"}}}`).CheckResult([]byte(`{"score": "1"}`))
	if want := "result at /score: got string, want number"; message(err) != want {
		t.Errorf("CheckResult = %v, want %s", err, want)
	}
}

func TestNilSchema(t *testing.T) {
	t.Parallel()
	s, err := Compile(nil)
	if s != nil || err != nil {
		t.Fatalf("Compile(nil) = %v, %v, want nil, nil", s, err)
	}
	if err := s.Check([]byte("\xff no JSON")); err != nil {
		t.Errorf("Check = %v, want no complaint from no schema", err)
	}
}

func TestCheckTooLarge(t *testing.T) {
	t.Parallel()
	doc := []byte(`"` + strings.Repeat("x", hive.MaxInline) + `"`)
	if err := compile(t, `{}`).Check(doc); !errors.Is(err, hive.ErrTooLarge) {
		t.Errorf("Check of %d bytes = %v, want %v", len(doc), err, hive.ErrTooLarge)
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	outside := func(ref string) string {
		return fmt.Sprintf("schema: %q is outside of it; only references within the schema are followed", ref)
	}
	tests := []struct{ name, schema, want string }{
		{"no JSON", `{`, "schema is not JSON: unexpected EOF"},
		{"no schema", `3`, "schema: got number, want boolean or object"},
		{"wrong word", `{"properties": {"a": {"type": "strng"}}}`, "schema at /properties/a/type: value must be one of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'"},
		{"regexp", `{"pattern": "(?=x)"}`, "schema at /pattern: '(?=x)' is not valid regex: error parsing regexp: invalid or unsupported Perl syntax: `(?=`"},
		{"large regexp", `{"pattern": "(x?){900}x{900}$"}`, "schema at /pattern: '(x?){900}x{900}$' is not valid regex: regular expression of 4503 steps, at most 4096 allowed"},
		{"http", `{"$ref": "http://127.0.0.1/x.json"}`, outside("http://127.0.0.1/x.json")},
		{"file", `{"items": {"$ref": "file:///etc/passwd"}}`, outside("file:///etc/passwd")},
		{"relative", `{"$ref": "x.json"}`, outside("x.json")},
		{"metaschema", `{"$ref": "https://json-schema.org/draft/2020-12/schema"}`, outside("https://json-schema.org/draft/2020-12/schema#")},
		{"metaschema by detour", `{"$id": "https://json-schema.org/draft/x", "$ref": "2020-12/schema"}`, outside("https://json-schema.org/draft/2020-12/schema#")},
		{"schema of its own", `{"$schema": "http://a.example/s"}`, outside("http://a.example/s")},
		{"other draft", `{"$schema": "http://json-schema.org/draft-07/schema#"}`, "schema: want draft 2020-12 (or no $schema)"},
		{"other draft within", `{"items": {"$id": "x", "$schema": "http://json-schema.org/draft-07/schema#", "type": "null"}}`, "schema at /items: want draft 2020-12 (or no $schema)"},
		{"dynamic reference", `{"$dynamicAnchor": "a", "items": {"$dynamicRef": "#a"}}`, "schema at /items: $dynamicRef is not supported; use $ref"},
		{"reference to nothing", `{"$ref": "#/$defs/x"}`, "schema: nothing at #/$defs/x"},
		{"round and round", `{"allOf": [{"$ref": "#"}]}`, "schema: refers to itself without end"},
		{"chain", chain(70), "schema at /$defs/a6: more than 64 references and combinations in each other"},
		{"too deep", strings.Repeat(`{"items":`, 101) + `{}` + strings.Repeat(`}`, 101), "nested deeper than 100 levels"},
		{"too many", `{"allOf": [` + strings.Repeat("true,", 2000) + `true]}`, "schema: 2002 objects and booleans, at most 2000 allowed"},
		{"too long", `"` + strings.Repeat("x", maxSchema) + `"`, "schema: 262146 bytes, at most 262144 allowed: too large"},
		{"large number", `{"minimum": 1e999999}`, "schema at /minimum: number too long or too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Compile([]byte(tt.schema))
			if got := message(err); got != tt.want && !(tt.name == "too deep" && strings.HasSuffix(got, tt.want)) {
				t.Errorf("Compile(%.100s) = %q, want %q", tt.schema, got, tt.want)
			}
		})
	}
}

// chain is a schema of n references in a row.
func chain(n int) string {
	var b strings.Builder
	b.WriteString(`{"$ref": "#/$defs/a0", "$defs": {`)
	for i := range n {
		fmt.Fprintf(&b, `"a%d": {"$ref": "#/$defs/a%d"}, `, i, i+1)
	}
	fmt.Fprintf(&b, `"a%d": {}}}`, n)
	return b.String()
}

// Small schemas that ask for more work than there is time or memory. To be fast
// they are given a 64th of it.
func TestBombs(t *testing.T) {
	t.Parallel()
	const tooMuch = "payload: cannot be checked: it takes too much work; simplify the schema or the document"
	var double strings.Builder
	double.WriteString(`{"$ref": "#/$defs/a0", "$defs": {`)
	for i := range 24 {
		fmt.Fprintf(&double, `"a%d": {"allOf": [{"$ref": "#/$defs/a%d"}, {"$ref": "#/$defs/a%[2]d"}]}, `, i, i+1)
	}
	double.WriteString(`"a24": {"maximum": 0}}}`)
	var names strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&names, `"n%d",`, i)
	}
	tests := []struct{ name, schema, doc, want string }{
		{"doubling references", double.String(), `-1`, tooMuch},
		{"doubling inside of not", `{"not": {"$ref": "#/$defs/s"}, "$defs": {"s": {"items": {"$ref": "#/$defs/s"},
			"contains": {"$ref": "#/$defs/s"}, "maximum": 0}}}`, nest(90), tooMuch},
		{"many names missing", `{"items": {"required": [` + names.String() + `"z"]}}`, "[" + strings.Repeat("{},", 5_000) + "{}]", tooMuch},
		{"many numbers compared", `{"items": {"enum": [` + strings.Repeat("1.5,", 4_000) + `2]}}`, "[" + strings.Repeat("1,", 7_000) + "1]", tooMuch},
		{"long expression on long text", `{"items": {"pattern": "(x?){900}$"}}`, `["` + strings.Repeat("x", 20_000) + `"]`, tooMuch},
		{"many expressions on many names", `{"patternProperties": {` + patterns(1900) + `}}`, object(1_000), tooMuch},
		{"too many wrong to name one", `{"items": {"allOf": [{"type": "string"}, {"maximum": 0}, {"minimum": 3}]}}`,
			"[" + strings.Repeat("1,", 5_000) + "1]", "payload: is not what the schema describes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := compile(t, tt.schema)
			s.work = maxWork / 64
			if got := message(s.Check([]byte(tt.doc))); got != tt.want {
				t.Errorf("Check = %q, want %q", got, tt.want)
			}
		})
	}
}

func patterns(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"^a%d": {}, `, i)
	}
	return b.String() + `"z": {}`
}

func object(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"b%d": 1, `, i)
	}
	return "{" + b.String() + `"z": 1}`
}

// What a large but honest document costs must stay within the meter.
func TestLargeDocumentFits(t *testing.T) {
	t.Parallel()
	row := `{"country": "zw", "count": 12, "tag": null},`
	schema := `{"type": "array", "items": {"type": "object", "required": ["country", "count"], "additionalProperties": false, "properties": {
		"country": {"enum": [` + strings.Repeat(`"de",`, 250) + `"zw"]}, "count": {"type": "integer", "minimum": 0},
		"tag": {"anyOf": [{"type": "string", "pattern": "^[a-z]+$"}, {"type": "null"}]}}}}`
	rows := hive.MaxInline/len(row)/8 - 1 // an eighth of the largest, for an eighth of the work
	doc := "[" + strings.Repeat(row, rows) + `{"country": "zw", "count": -1}]`
	s := compile(t, schema)
	s.work = maxWork / 8
	err := s.Check([]byte(doc))
	if want := fmt.Sprintf("payload at /%d/count: minimum: got -1, want 0", rows); message(err) != want {
		t.Errorf("Check of %d bytes = %v, want %s", len(doc), err, want)
	}
}

func TestCheckConcurrently(t *testing.T) {
	t.Parallel()
	s := compile(t, items)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				doc, want := `{"items": [{"url": "x"}]}`, ""
				if i%2 == 1 {
					doc, want = `{"items": [{"url": 1}]}`, "payload at /items/0/url: got number, want string"
				}
				if got := message(s.Check([]byte(doc))); got != want {
					t.Errorf("Check(%s) = %q, want %q", doc, got, want)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzSchema: whatever the schema and the document, there is an answer in one
// line; and within the meter it is the answer of the plain validator.
func FuzzSchema(f *testing.F) {
	for _, s := range []string{items, `true`, `{"$ref": "#"}`, `{"not": {"not": {"enum": [1, "a"]}}}`, chain(3),
		`{"items": {"$ref": "#"}, "contains": {"type": "null"}, "uniqueItems": true}`,
		`{"oneOf": [{"type": "string"}, {"pattern": "a+"}], "unevaluatedItems": false}`,
		`{"patternProperties": {"^a": {"multipleOf": 0.1}}, "propertyNames": {"maxLength": 3}, "dependentRequired": {"a": ["b"]}}`,
		`{"if": {"minimum": 1}, "then": {"const": 2.0}, "else": false, "$id": "x", "$anchor": "y"}`} {
		for _, doc := range []string{`{"items": [{"url": 1}]}`, `[[null], 1, "a"]`, `{"abcd": 1.25, "a": 0}`, `2`, `1e3`, nest(3)} {
			f.Add(s, doc)
		}
	}
	f.Fuzz(func(t *testing.T, schema, doc string) {
		s, err := Compile([]byte(schema))
		oneLineOnly(t, err)
		if err != nil || s == nil {
			return
		}
		err = s.Check([]byte(doc))
		oneLineOnly(t, err)
		value, bad := decodeJSON("payload", []byte(doc))
		if bad != nil || err != nil && strings.Contains(err.Error(), "cannot be checked") {
			return
		}
		plain := jsonschema.NewCompiler()
		if err := plain.AddResource(schemaURL, s.source); err != nil {
			t.Fatal(err)
		}
		if want := plain.MustCompile(schemaURL).Validate(value); (want == nil) != (err == nil) {
			t.Errorf("Check(%q, %q) = %v, the plain validator says %v", schema, doc, err, want)
		}
	})
}

// oneLineOnly fails the test if err is not one printable line.
func oneLineOnly(t *testing.T, err error) {
	t.Helper()
	if text := message(err); text != printable(text, len(text)) || len(text) > 2*maxLine {
		t.Errorf("error %q is not one printable line", text)
	}
}
