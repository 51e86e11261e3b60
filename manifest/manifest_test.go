package manifest

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

const goodTOML = `
manifest_version = 1
name = "secscan"
version = "1.0.0"
description = "Looks for secrets in text."
contract = "command"
args = ["--fast"]
env = { LANG = "C" }
requires = "zone in (us, eu), gpu=true"
grants = ["log", "kv", "spawn"]

[allow]
spawn = ["summarize"]
kv = ["totals"]

[build]
command = ["go", "build", "-o", "secscan.wasm", "."]
env = { GOOS = "wasip1", GOARCH = "wasm" }
output = "./secscan.wasm"

[schema]
input = "schemas/input.json"
output = "schemas/output.json"

[example]
input = "example.json"
output = "example.golden"

[limits]
memory_mb = 128
time = "20s"
output_kb = 512
log_kb = 64
`

func goodFiles() map[string]string {
	return map[string]string{
		"skill.toml":          goodTOML,
		"schemas/input.json":  `{ "type": "object", "required": ["text"] }`,
		"schemas/output.json": `true`,
		"example.json":        `{"text": "x"}`,
		"example.golden":      `{"findings": []}`,
		"main.go":             "package main\n",
	}
}

// writeFolder makes a skill folder of files, by path.
func writeFolder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func goodManifest(t testing.TB) hive.Manifest {
	t.Helper()
	requires, err := hive.ParseSelector("gpu=true,zone in (eu,us)")
	if err != nil {
		t.Fatal(err)
	}
	return hive.Manifest{
		Name: "secscan", Version: "1.0.0", Description: "Looks for secrets in text.",
		Contract: hive.ContractCommand, Args: []string{"--fast"}, Env: map[string]string{"LANG": "C"},
		Input:    json.RawMessage(`{"type":"object","required":["text"]}`),
		Output:   json.RawMessage(`true`),
		Example:  []byte(`{"text": "x"}`),
		Limits:   hive.SkillLimits{Memory: 128 << 20, Time: 20 * time.Second, Output: 512 << 10, Log: 64 << 10},
		Requires: requires, Grants: []hive.Grant{hive.GrantLog, hive.GrantKV, hive.GrantSpawn},
		Allow: hive.Allow{Spawn: []string{"summarize"}, KV: []string{"totals"}},
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := writeFolder(t, goodFiles())
	got, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := &Folder{Dir: dir, Manifest: goodManifest(t), Golden: []byte(`{"findings": []}`), GoldenFile: "example.golden", Build: Build{
		Command: []string{"go", "build", "-o", "secscan.wasm", "."},
		Env:     map[string]string{"GOOS": "wasip1", "GOARCH": "wasm"},
		Output:  "secscan.wasm",
	}}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("Load = %+v, want %+v", got, want)
	}
	if err := ValidateManifest(&got.Manifest); err != nil {
		t.Fatalf("ValidateManifest of what Load took: %v", err)
	}
}

func TestLoadSmallest(t *testing.T) {
	t.Parallel()
	dir := writeFolder(t, map[string]string{"skill.toml": "manifest_version = 1\nname = \"wc\"\nversion = \"0.1.0\"\n"})
	got, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := (hive.Manifest{Name: "wc", Version: "0.1.0"}); !reflect.DeepEqual(got.Manifest, want) {
		t.Errorf("manifest = %+v, want %+v", got.Manifest, want)
	}
	if got.Build.Output != "wc.wasm" || got.Build.Command != nil {
		t.Errorf("build = %+v, want no command and output wc.wasm", got.Build)
	}
}

func TestLoadWithoutFolder(t *testing.T) {
	t.Parallel()
	dir := writeFolder(t, map[string]string{"plain.txt": ""})
	for path, want := range map[string]string{
		filepath.Join(dir, "nope"):      "no such skill folder: " + filepath.Join(dir, "nope"),
		filepath.Join(dir, "plain.txt"): filepath.Join(dir, "plain.txt") + " is not a folder",
		dir:                             dir + ": no skill.toml; a skill is a folder with one, or a .wasm file",
	} {
		if _, err := Load(path); err == nil || err.Error() != want {
			t.Errorf("Load(%s) = %v, want %s", path, err, want)
		}
	}
}

// Each case changes one line of the good file and must give exactly the
// complaints it lists.
func TestLoadComplaints(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, old, new string
		want           []string
	}{
		{"version missing", "manifest_version = 1", "", []string{"manifest_version: missing; write manifest_version = 1"}},
		{"version of the future", "manifest_version = 1", "manifest_version = 2", []string{"manifest_version: 2: this hive reads 1 only"}},
		{"name missing", `name = "secscan"`, "", []string{"name: missing"}},
		{"name of the wrong type", `name = "secscan"`, "name = 3", []string{"name: want text in quotes, got a whole number"}},
		{"bad name", `name = "secscan"`, `name = "Sec Scan"`, []string{`name: "Sec Scan": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`}},
		{"bad version", `version = "1.0.0"`, `version = "1"`, []string{`version: "1": want a semantic version such as 1.2.3`}},
		{"long description", "Looks", strings.Repeat("x", 1025), []string{"description: want one line of at most 1024 bytes"}},
		{"description of two lines", "Looks", `a\nb`, []string{"description: want one line of at most 1024 bytes"}},
		{"unknown contract", `"command"`, `"wagi"`, []string{`contract: "wagi": want command, reactor or extism`}},
		{"entry", "args =", "entry = \"a\\nb\"\nargs =", []string{"entry: want the name of a function, of at most 200 bytes"}},
		{"warmup", "args =", "warmup = \"no\"\nargs =", []string{"warmup: want true or false, got text"}},
		{"fuel", "[limits]", "[limits]\nfuel = 0", []string{"limits.fuel: 0: want 1 to 9223372036854775807"}},
		{"args not a list", `["--fast"]`, `"--fast"`, []string{`args: want a list as ["a", "b"], got text`}},
		{"arg not text", `["--fast"]`, `["--fast", 1.5]`, []string{"args: item 2: want text in quotes, got a fraction"}},
		{"zero byte in arg", `["--fast"]`, `["a\u0000"]`, []string{"args: item 1: want UTF-8 text without zero bytes"}},
		{"env not text", `LANG = "C"`, `LANG = true, "1X" = "a"`, []string{
			"env.LANG: want text in quotes, got true or false",
			"env.1X: want a name of letters, digits and '_', not beginning with a digit"}},
		{"env not a table", `env = { LANG = "C" }`, "env = 3", []string{"env: want a table, got a whole number"}},
		{"bad selector", "gpu=true", "gpu=", []string{`requires: selector "zone in (us, eu), gpu=": tag gpu: value "": want 1 to 63 letters, digits, '.', '_' and '-'`}},
		{"grants", `["log", "kv", "spawn"]`, `["log", "kv", "spawn", "root", "log"]`, []string{
			`grants: "root": unknown grant; known: log, kv, http, spawn, emit, progress, secrets, files, clock, random`,
			`grants: "log" is there twice`}},
		{"allow", "kv = [\"totals\"]", "kv = [\"My Totals\"]\nsecrets = [\"x\"]\nclock = \"tomorrow\"\nrandom = \"task\"", []string{
			`allow.kv: item 1: "My Totals": want letters, digits and '-', in lower case`,
			`allow.secrets: grants lack "secrets"`,
			`allow.clock: "tomorrow": want "task", or nothing for live`}},
		{"hosts", `kv = ["totals"]`, `http = ["example.com", "*.example.org:8443", "Example.com", "https://a.b", "a.b:0", "*:443", "*", "1.2.3.4:80", "[::1]:80", "[::1"]`, []string{
			`allow.http: grants lack "http"`,
			`allow.http: item 3: "Example.com": want HOST, HOST:PORT, *.HOST or *, in lower case`,
			`allow.http: item 4: "https://a.b": want HOST, HOST:PORT, *.HOST or *, in lower case`,
			`allow.http: item 5: "a.b:0": want HOST, HOST:PORT, *.HOST or *, in lower case`,
			`allow.http: item 6: "*:443": want HOST, HOST:PORT, *.HOST or *, in lower case`,
			`allow.http: item 10: "[::1": want HOST, HOST:PORT, *.HOST or *, in lower case`}},
		{"grants for nothing", `["log", "kv", "spawn"]`, `["log", "kv", "spawn", "secrets", "files"]`, []string{
			`grants: "secrets" is of no use without allow.secrets`,
			`grants: "files" is of no use without allow.files`}},
		{"unknown keys", "memory_mb = 128", "memory = 128\ncolour.of.it = 1", []string{
			"limits.memory: unknown key (did you mean limits.memory_mb?)",
			"limits.colour: unknown key"}},
		{"key in the wrong table", "args =", "memory_mb = 3\nargs =", []string{"memory_mb: unknown key (did you mean limits.memory_mb?)"}},
		{"key in the wrong case", `name = "secscan"`, `Name = "secscan"`, []string{
			"Name: unknown key (did you mean name?)", "name: missing"}},
		{"unknown table once", "[limits]", "[limit]", []string{"limit: unknown key (did you mean limits?)"}},
		{"list of tables", "[limits]", "[[limits]]", []string{"limits: want a table, got a list of tables"}},
		{"empty command", `["go", "build", "-o", "secscan.wasm", "."]`, `["", "x"]`, []string{`build.command: want a program and its arguments, as ["go", "build"]`}},
		{"no command", `command = ["go", "build", "-o", "secscan.wasm", "."]`, "", []string{"build.env: nothing is built without build.command"}},
		{"output outside", `"./secscan.wasm"`, `"../secscan.wasm"`, []string{`build.output: "../secscan.wasm": want the path of a .wasm file inside the folder`}},
		{"sources", `output = "./secscan.wasm"`, "output = \"./secscan.wasm\"\nsources = [\".\", \"../gone\", \"main.go\", \"/tmp\"]", []string{
			`build.sources: "../gone": want the path of a folder, from this one on`,
			`build.sources: "main.go": want the path of a folder, from this one on`,
			`build.sources: "/tmp": want the path of a folder, from this one on`}},
		{"output over a source", `"./secscan.wasm"`, `"main.go"`, []string{`build.output: "main.go": want the path of a .wasm file inside the folder`}},
		{"bad build variable", "GOOS =", `"GO OS" =`, []string{"build.env.GO OS: want a name of letters, digits and '_', not beginning with a digit"}},
		{"schema outside", `"schemas/input.json"`, `"../x.json"`, []string{`schema.input: "../x.json": want the path of a file inside the folder`}},
		{"schema absolute", `"schemas/input.json"`, `"/etc/hostname"`, []string{`schema.input: "/etc/hostname": want the path of a file inside the folder`}},
		{"schema missing", `"schemas/input.json"`, `"nope.json"`, []string{"schema.input: nope.json: no such file or directory"}},
		{"schema is a directory", `"schemas/input.json"`, `"schemas"`, []string{"schema.input: schemas is not a regular file"}},
		{"schema not JSON", `"schemas/input.json"`, `"main.go"`, []string{"schema.input: main.go is not JSON: invalid character 'p' looking for beginning of value"}},
		{"schema of unknown words", `"schemas/output.json"`, `"example.json"`, nil},
		{"example wrong", `"example.json"`, `"schemas/input.json"`, []string{"example.input: example: missing property 'text'"}},
		{"memory", "128", "4097", []string{"limits.memory_mb: 4097: want 1 to 4096"}},
		{"memory zero", "128", "0", []string{"limits.memory_mb: 0: want 1 to 4096"}},
		{"time", `"20s"`, `"25h"`, []string{"limits.time: 25h0m0s: want 1ms to 24h0m0s"}},
		{"time without unit", `"20s"`, `"20"`, []string{`limits.time: "20": want a time such as "20s"`}},
		{"time as a number", `"20s"`, `20`, []string{`limits.time: want a time such as "20s", got a whole number`}},
		{"output", "512", "65537", []string{"limits.output_kb: 65537: want 1 to 65536"}},
		{"log", "64", "-1", []string{"limits.log_kb: -1: want 0 to 64"}},
		{"log beyond what is kept", "log_kb = 64", "log_kb = 65", []string{"limits.log_kb: 65: want 0 to 64"}},
		{"all at once", "[limits]", "[limits]\nfuel = -1\ntimes = 2\n[foo]\n[bar]", []string{
			"limits.fuel: -1: want 1 to 9223372036854775807",
			"limits.times: unknown key (did you mean limits.time?)",
			"foo: unknown key", "bar: unknown key"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := goodFiles()
			files["skill.toml"] = strings.Replace(goodTOML, tt.old, tt.new, 1)
			if files["skill.toml"] == goodTOML {
				t.Fatalf("%q is not in the good file", tt.old)
			}
			_, err := Load(writeFolder(t, files))
			want := ""
			for _, w := range tt.want {
				want += "skill.toml: " + w + "\n"
			}
			if got := lines(err); got != want {
				t.Errorf("complaints:\n%swant:\n%s", got, want)
			}
		})
	}
}

// lines is the text of an error, each complaint ended by a newline.
func lines(err error) string {
	if err == nil {
		return ""
	}
	return err.Error() + "\n"
}

func TestLoadSchemaWrong(t *testing.T) {
	t.Parallel()
	files := goodFiles()
	files["schemas/input.json"] = `{"properties": {"text": {"type": "strng"}}}`
	files["schemas/output.json"] = `{"$ref": "https://example.com/x.json"}`
	_, err := Load(writeFolder(t, files))
	want := `skill.toml: schema.input: schema at /properties/text/type: value must be one of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'
skill.toml: schema.output: schema: "https://example.com/x.json" is outside of it; only references within the schema are followed
`
	if got := lines(err); got != want {
		t.Errorf("complaints:\n%swant:\n%s", got, want)
	}
}

func TestLoadSyntax(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a = 1\nname = \n":                "skill.toml:2: ",
		"name = \"a\"\nname = \"b\"\n":    "skill.toml:2: Key 'name' has already been defined.",
		strings.Repeat("a.", 20_000):      "skill.toml:1: line too long or nested too deep",
		"\n" + strings.Repeat("a . ", 20): "skill.toml:2: line too long or nested too deep",
		strings.Repeat("{\n", 300):        "skill.toml:257: line too long or nested too deep",
	} {
		_, err := Load(writeFolder(t, map[string]string{"skill.toml": text}))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Load of %.20q = %v, want one line beginning %q", text, err, want)
		}
	}
}

func TestLoadLinks(t *testing.T) {
	t.Parallel()
	outside := writeFolder(t, map[string]string{"secret.json": "{}"})
	tests := []struct{ name, target, want string }{
		{"inside", "schemas/output.json", ""},
		{"relative way out", "../secret.json", "skill.toml: schema.input: link.json: path escapes from parent\n"},
		{"absolute way out", filepath.Join(outside, "secret.json"), "skill.toml: schema.input: link.json: path escapes from parent\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := goodFiles()
			files["skill.toml"] = strings.Replace(goodTOML, "schemas/input.json", "link.json", 1)
			dir := writeFolder(t, files)
			if err := os.Symlink(tt.target, filepath.Join(dir, "link.json")); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(dir); lines(err) != tt.want {
				t.Errorf("Load = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestLoadTooLarge(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"skill.toml": maxFile, "schemas/input.json": maxSchema, "example.json": maxExample} {
		files := goodFiles()
		files[name] += strings.Repeat("\n", size)
		if _, err := Load(writeFolder(t, files)); !errors.Is(err, hive.ErrTooLarge) || !strings.Contains(err.Error(), name) {
			t.Errorf("Load with a large %s = %v, want %v", name, err, hive.ErrTooLarge)
		}
	}
}

func TestErrorsStayBranchable(t *testing.T) {
	t.Parallel()
	files := goodFiles()
	files["schemas/input.json"] += strings.Repeat("\n", maxSchema)
	delete(files, "example.json")
	_, err := Load(writeFolder(t, files))
	if !errors.Is(err, hive.ErrTooLarge) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load = %v, want both %v and %v in it", err, hive.ErrTooLarge, fs.ErrNotExist)
	}
}
