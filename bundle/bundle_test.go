package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/hive-spore/hive"
)

// programsOf are the programs of the sample, by digest.
func programsOf(texts ...string) map[string][]byte {
	programs := map[string][]byte{}
	for _, text := range texts {
		programs[digested([]byte(text))] = []byte(text)
	}
	return programs
}

var samplePrograms = programsOf("program of count", "another, of scan")

// sample is a good bundle of three skills and two programs.
func sample() *Bundle {
	count, scan := digested([]byte("program of count")), digested([]byte("another, of scan"))
	return &Bundle{
		Name: "texts", Version: "1.3.0", Description: "Reads <texts>.", Created: time.Date(2026, 11, 27, 3, 20, 0, 0, time.UTC),
		Skills: []Skill{
			{Manifest: hive.Manifest{Name: "count", Version: "1.0.0"}, Digest: count, Size: 16},
			{Manifest: hive.Manifest{
				Name: "scan", Version: "2.1.0", Contract: hive.ContractReactor, Example: []byte(`{"text":"a"}`),
				Args: []string{"line\none"}, Env: map[string]string{"B": "1", "A": "2"},
				Input:  json.RawMessage(`{"type":"object","required":["text"],"properties":{"weight":{"minimum":0.5,"maximum":1E2}}}`),
				Limits: hive.SkillLimits{Memory: 64 << 20, Time: time.Second}, Requires: hive.Selector{{Key: "gpu", Op: hive.OpEqual, Values: []string{"true"}}},
				Grants: []hive.Grant{hive.GrantLog, hive.GrantHTTP}, Allow: hive.Allow{HTTP: []string{"example.com"}},
			}, Digest: scan, Size: 16},
			{Manifest: hive.Manifest{Name: "count", Version: "1.0.0-rc.1"}, Digest: count, Size: 16},
		},
	}
}

func encoded(t testing.TB, b *Bundle) []byte {
	t.Helper()
	data, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The spelling is what signatures are made of: it never changes.
func TestEncode(t *testing.T) {
	t.Parallel()
	want := `{"created":"2026-11-27T03:20:00Z","description":"Reads <texts>.","name":"texts","skills":[` +
		`{"digest":"sha256:07d7e7fb577abf770af08b4b931baa47aea32b0d7633206e56e957d828dec3ae","name":"count","size":16,"version":"1.0.0"},` +
		`{"allow":{"http":["example.com"]},"args":["line\none"],"contract":"reactor",` +
		`"digest":"sha256:b28e8a237a3b0e5df31d27fdf8238faaca01e3492e42e9af3a461cd09a7f9e39","env":{"A":"2","B":"1"},"example":"eyJ0ZXh0IjoiYSJ9","grants":["log","http"],` +
		`"input":{"properties":{"weight":{"maximum":1E2,"minimum":0.5}},"required":["text"],"type":"object"},` +
		`"limits":{"memory":67108864,"time":1000000000},"name":"scan","requires":"gpu=true","size":16,"version":"2.1.0"},` +
		`{"digest":"sha256:07d7e7fb577abf770af08b4b931baa47aea32b0d7633206e56e957d828dec3ae","name":"count","size":16,"version":"1.0.0-rc.1"}],"version":"1.3.0"}`
	got := encoded(t, sample())
	if string(got) != want {
		t.Errorf("Encode() = %s\nwant %s", got, want)
	}
	if digest := sample().Digest(); digest != digested(got) {
		t.Errorf("Digest() = %s, want that of the encoding", digest)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	data := encoded(t, sample())
	b, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if again := encoded(t, b); !bytes.Equal(again, data) {
		t.Errorf("encoded again: %s\nwant %s", again, data)
	}
	want := sample()
	want.Skills[1].Input = json.RawMessage(`{"properties":{"weight":{"maximum":1E2,"minimum":0.5}},"required":["text"],"type":"object"}`)
	if !reflect.DeepEqual(b, want) {
		t.Errorf("Decode() = %+v, want %+v", b, want)
	}
}

// Times are given as they come, and are spelled in one way.
func TestEncodeRoundsTime(t *testing.T) {
	t.Parallel()
	b := sample()
	b.Created = b.Created.Add(time.Millisecond).In(time.FixedZone("", 3600))
	if got, want := b.Digest(), sample().Digest(); got != want {
		t.Errorf("Digest() = %s in another zone, want %s", got, want)
	}
	if b.Created.Location() == time.UTC {
		t.Error("Encode changed the bundle")
	}
}

// Bytes that a stranger made are refused in one line.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	good := string(encoded(t, sample()))
	instead := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the sample lacks %s", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for _, tt := range []struct{ name, data, want string }{
		{"nothing", "", "bundle: not JSON: it ends early"},
		{"white space", " \n", "bundle: not JSON: it ends early"},
		{"cut", good[:len(good)-1], "bundle: not JSON: it ends early"},
		{"null", "null", "bundle: not in its one spelling, from byte 0 on; nexus bundle create writes it"},
		{"a list", "[]", "bundle: the document: array is not what belongs there"},
		{"an empty object", "{}", "bundle: not in its one spelling, from byte 1 on; nexus bundle create writes it"},
		{"too large", strings.Repeat(" ", MaxBundle+1), "bundle: 4194305 bytes, at most 4194304 allowed: too large"},
		{"not UTF-8", instead("texts", "\xff"), "bundle: not UTF-8 text"},
		{"a byte-order mark", "\ufeff" + good, "bundle: invalid character 'ï' looking for beginning of value"},
		{"deep lists", strings.Repeat("[", 10000), "bundle: nested deeper than 104 levels"},
		{"deep objects", strings.Repeat(`{"a":`, 10000), "bundle: nested deeper than 104 levels"},
		{"a deep schema", instead(`"type":"object"`, `"type":`+strings.Repeat("[", 10000)+strings.Repeat("]", 10000)), "bundle: nested deeper than 104 levels"},
		{"a schema a bit too deep", instead(`"input":{`, `"input":{"default":`+strings.Repeat("[", 101)+strings.Repeat("]", 101)+","), "bundle: nested deeper than 104 levels"},
		{"trailing text", good + "x", "bundle: something follows the first value"},
		{"a trailing bracket", good + "]", "bundle: something follows the first value"},
		{"two values", good + good, "bundle: something follows the first value"},
		{"a trailing line", good + "\n", fmt.Sprintf("bundle: not in its one spelling, from byte %d on; nexus bundle create writes it", len(good))},
		{"white space within", instead(`,"name"`, `, "name"`), "bundle: not in its one spelling, from byte 65 on; nexus bundle create writes it"},
		{"a key twice", instead(`"name":"texts"`, `"name":"texts","name":"other"`), `bundle: "name" is there twice in one object`},
		{"a key twice, otherwise spelled", instead(`"name":"texts"`, `"name":"texts","n\u0061me":"other"`), `bundle: "name" is there twice in one object`},
		{"a key twice in a skill", instead(`"size":16`, `"size":16,"size":17`), `bundle: "size" is there twice in one object`},
		{"a key twice in a schema", instead(`"type":"object"`, `"type":"object","type":"array"`), `bundle: "type" is there twice in one object`},
		{"a key in another case", instead(`"name":"texts"`, `"Name":"texts"`), "bundle: not in its one spelling, from byte 66 on; nexus bundle create writes it"},
		{"a key twice but for case", instead(`"name":"texts"`, `"Name":"other","name":"texts"`), "bundle: not in its one spelling, from byte 66 on; nexus bundle create writes it"},
		{"an unknown key", instead(`"name":"texts"`, `"name":"texts","run":"\u001b[2J"`), `bundle: unknown field "run"`},
		{"an unknown key of a manifest", instead(`"size":16`, "\"root\\u001b\":true,\"size\":16"), `bundle: unknown field "root\x1b"`},
		{"a null", instead(`"size":16`, `"requires":null,"size":16`), "bundle: not in its one spelling, from byte 190 on; nexus bundle create writes it"},
		{"an empty member", instead(`"size":16`, `"args":[],"size":16`), "bundle: not in its one spelling, from byte 190 on; nexus bundle create writes it"},
		{"an escape that need not be", instead("texts", `te\u0078ts`), "bundle: not in its one spelling, from byte 58 on; nexus bundle create writes it"},
		{"NaN", instead(`"size":16`, `"size":NaN`), "bundle: invalid character 'N' looking for beginning of value"},
		{"Infinity", instead(`0.5`, `-Infinity`), "bundle: invalid character 'I' in numeric literal"},
		{"a huge number", instead(`"size":16`, `"size":1e999`), "bundle: skills.size: number 1e999 is not what belongs there"},
		{"a huge number in a schema", instead(`0.5`, `1e999`), "bundle: skill 2: manifest: schema.input: schema at /properties/weight/minimum: number too long or too large"},
		{"a long number", instead(`"size":16`, `"size":`+strings.Repeat("1", 9999)), "bundle: skills.size: number " + strings.Repeat("1", 300-20-3) + "…"},
		{"a size with a point", instead(`"size":16`, `"size":16.0`), "bundle: skills.size: number 16.0 is not what belongs there"},
		{"a time in another zone", instead("03:20:00Z", "04:20:00+01:00"), "bundle: not in its one spelling, from byte 24 on; nexus bundle create writes it"},
		{"a part of a second", instead("03:20:00Z", "03:20:00.5Z"), "bundle: not in its one spelling, from byte 31 on; nexus bundle create writes it"},
		{"no time", instead("2026-11-27T03:20:00Z", "0001-01-01T00:00:00Z"), "bundle: created: want a time of the years 2000 to 9999"},
		{"a name with a path", instead(`"texts"`, `"../../etc"`), `bundle: name "../../etc": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`},
		{"a name with NUL", instead(`"texts"`, `"te\u0000xts"`), `bundle: name "te\x00xts": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`},
		{"a version with a path", instead(`"version":"1.3.0"`, `"version":"../1"`), `bundle: version "../1": want a semantic version such as 1.2.3`},
		{"a description of two lines", instead("Reads", `\n`), "bundle: description: want one line of at most 1024 bytes"},
		{"a skill's name with a path", instead(`"name":"scan"`, `"name":"../x"`), `bundle: skill 2: manifest: name: "../x": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`},
		{"a skill's name in another case", instead(`"name":"scan"`, `"name":"Count"`), `bundle: skill 2: manifest: name: "Count": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`},
		{"a skill twice", instead(`"1.0.0-rc.1"`, `"1.0.0"`), "bundle: skill 3: count@1.0.0 is there twice"},
		{"no digest", instead(`"digest":"`+digested([]byte("program of count"))+`"`, `"digest":""`), `bundle: skill 1: digest "": want sha256: and 64 lower-case hex digits`},
		{"a digest with a path", instead("sha256:", "sha256:../"), `bundle: skill 1: digest "sha256:../07d7e7fb577abf770af08b4b931baa47aea32b0d7633206e56e957d828dec3ae": want sha256: and 64 lower-case hex digits`},
		{"size zero", instead(`"size":16`, `"size":0`), "bundle: skill 1: size 0: want 1 to 67108864 bytes"},
		{"a size below zero", instead(`"size":16`, `"size":-1`), "bundle: skill 1: size -1: want 1 to 67108864 bytes"},
		{"a size too large", instead(`"size":16`, `"size":67108865`), "bundle: skill 1: size 67108865: want 1 to 67108864 bytes"},
		{"two sizes of a program", instead(`"size":16`, `"size":17`), "bundle: skill 3: size 16, and 17 for the same digest before"},
		{"grants that are none", instead(`"log","http"`, `"root","all"`), `bundle: skill 2: manifest: grants: "root": unknown grant; known: log, kv, http, spawn, emit, progress, secrets, files, clock, random (and 2 more)`},
		{"a selector otherwise spelled", instead("gpu=true", "gpu = true"), "bundle: not in its one spelling, from byte 630 on; nexus bundle create writes it"},
	} {
		b, err := Decode([]byte(tt.data))
		if err == nil {
			t.Errorf("%s: Decode() = %v, want an error", tt.name, b)
			continue
		}
		if err.Error() != tt.want {
			t.Errorf("%s: Decode() = %s\nwant %s", tt.name, err, tt.want)
		}
	}
}

// What cannot be decoded is not encoded either.
func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		mutate func(*Bundle)
		want   string
	}{
		{"no name", func(b *Bundle) { b.Name = "" }, `bundle: name "": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`},
		{"no version", func(b *Bundle) { b.Version = "1" }, `bundle: version "1": want a semantic version such as 1.2.3`},
		{"no time", func(b *Bundle) { b.Created = time.Time{} }, "bundle: created: want a time of the years 2000 to 9999"},
		{"a year that cannot be spelled", func(b *Bundle) { b.Created = time.Unix(1<<50, 0) }, "bundle: created: want a time of the years 2000 to 9999"},
		{"no skills", func(b *Bundle) { b.Skills = nil }, "bundle: skills: none; a bundle holds one or more"},
		{"many skills", func(b *Bundle) { b.Skills = make([]Skill, 257) }, "bundle: skills: 257 of them, at most 256 allowed"},
		{"versions that are one file", func(b *Bundle) {
			b.Skills[0].Version, b.Skills[2].Version = "1.0.0-RC", "1.0.0-rc"
		}, "bundle: skill 3: count@1.0.0-rc is there twice"},
		{"a key twice in a schema", func(b *Bundle) { b.Skills[1].Input = json.RawMessage(`{"a":1,"a":2}`); b.Skills[1].Example = nil }, `bundle: "a" is there twice in one object`},
		{"long in all", func(b *Bundle) {
			for i := range b.Skills {
				b.Skills[i].Input = nil
				b.Skills[i].Example = make([]byte, hive.MaxInline)
			}
		}, "bundle: 4195040 bytes, at most 4194304 allowed: too large"},
		{"programs too large in all", func(b *Bundle) {
			for i := range 17 {
				b.Skills = append(b.Skills, Skill{Manifest: hive.Manifest{Name: "a", Version: fmt.Sprintf("%d.0.0", i)},
					Digest: digested([]byte{byte(i)}), Size: MaxProgram})
			}
		}, "bundle: programs of 1140850720 bytes, at most 1073741824 allowed: too large"},
	} {
		b := sample()
		tt.mutate(b)
		data, err := b.Encode()
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: Encode() = %d bytes, %v\nwant %s", tt.name, len(data), err, tt.want)
		}
		if digest := b.Digest(); digest != "" {
			t.Errorf("%s: Digest() = %s, want none", tt.name, digest)
		}
	}
	large := sample()
	large.Skills[0].Example = make([]byte, hive.MaxInline)
	large.Skills[2].Example = large.Skills[0].Example
	if _, err := large.Encode(); err != nil {
		t.Errorf("Encode() of 2 examples of 1 MiB: %v", err)
	}
	if _, err := Decode(make([]byte, MaxBundle+1)); !errors.Is(err, hive.ErrTooLarge) {
		t.Errorf("Decode(too large) = %v, want ErrTooLarge", err)
	}
}

// FuzzDecode: what Decode takes has one spelling, and all else is refused in one
// printable line.
func FuzzDecode(f *testing.F) {
	f.Add(encoded(f, sample()))
	f.Add([]byte(`{"created":"2026-11-27T03:20:00Z","name":"a","skills":[{"digest":"","name":"a","size":1,"version":"1.0.0"}],"version":"1.0.0"}`))
	f.Add([]byte(strings.Repeat("[", 200)))
	f.Add([]byte(`{"a":[{"b":1e5}],"a":}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Decode(data)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		if again := encoded(t, b); !bytes.Equal(again, data) {
			t.Fatalf("%q was decoded, and is encoded as %q", data, again)
		}
	})
}

// checkRefusal holds an error to be one line that any terminal can show.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	if s := err.Error(); len(s) > 2*maxRefusal || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Fatalf("the error is %q", s)
	}
}

// The bundle that docs/bundles.md shows is one.
func TestPageShowsBundle(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "bundles.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(page), "```json\n")
	shown, _, found := strings.Cut(shown, "\n```")
	if b, err := Decode([]byte(shown)); !found || err != nil || b.String() != "secscan@1.3.0" {
		t.Errorf("Decode(%s) = %v, %v", shown, b, err)
	}
}
