package manifest

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

func TestValidateManifest(t *testing.T) {
	t.Parallel()
	yes := true
	many := map[string]string{}
	for i := range 65 {
		many["V"+strings.Repeat("x", i)] = ""
	}
	tests := []struct {
		name   string
		mutate func(*hive.Manifest)
		want   string
	}{
		{"good", func(*hive.Manifest) {}, ""},
		{"smallest", func(m *hive.Manifest) { *m = hive.Manifest{Name: "a", Version: "1.0.0"} }, ""},
		{"reactor", func(m *hive.Manifest) { m.Contract = hive.ContractReactor }, ""},
		{"empty", func(m *hive.Manifest) { *m = hive.Manifest{} }, "manifest: name: missing\nmanifest: version: missing\n"},
		{"name", func(m *hive.Manifest) { m.Name = "../x" }, "manifest: name: \"../x\": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter\n"},
		{"escape in description", func(m *hive.Manifest) { m.Description = "\x1b[2J" }, "manifest: description: want one line of at most 1024 bytes\n"},
		{"hostile contract", func(m *hive.Manifest) { m.Contract = "\x1b[2J\n" }, "manifest: contract: \"\\x1b[2J\\n\": want command, reactor or extism\n"},
		{"plugin", func(m *hive.Manifest) { m.Contract, m.Entry, m.Warmup = hive.ContractExtism, "run", &yes }, ""},
		{"entry", func(m *hive.Manifest) { m.Entry = "a\x1b" }, "manifest: entry: want the name of a function, of at most 200 bytes\n"},
		{"many args", func(m *hive.Manifest) { m.Args = make([]string, 65) }, "manifest: args: 65 of them, at most 64 allowed\n"},
		{"long arg", func(m *hive.Manifest) { m.Args = []string{"", strings.Repeat("x", 4097)} }, "manifest: args: item 2: 4097 bytes, at most 4096 allowed\n"},
		{"arg not UTF-8", func(m *hive.Manifest) { m.Args = []string{"\xff"} }, "manifest: args: item 1: want UTF-8 text without zero bytes\n"},
		{"many variables", func(m *hive.Manifest) { m.Env = many }, "manifest: env: 65 variables, at most 64 allowed\n"},
		{"variable", func(m *hive.Manifest) { m.Env["A=B"] = "" }, "manifest: env.A=B: want a name of letters, digits and '_', not beginning with a digit\n"},
		{"value", func(m *hive.Manifest) { m.Env["A"] = "\x00" }, "manifest: env.A: want UTF-8 text without zero bytes\n"},
		{"selector without value", func(m *hive.Manifest) { m.Requires = hive.Selector{{Key: "gpu", Op: hive.OpEqual}} }, "manifest: requires: \"gpu\": nothing after the operator\n"},
		{"selector with another in it", func(m *hive.Manifest) {
			m.Requires = hive.Selector{{Key: "a", Op: hive.OpEqual, Values: []string{"1,b=2"}}}
		}, "manifest: requires: not in the form that parsing gives it\n"},
		{"many grants", func(m *hive.Manifest) { m.Grants, m.Allow = make([]hive.Grant, 11), hive.Allow{} }, "manifest: grants: 11 of them, there are 10\n"},
		{"grants", func(m *hive.Manifest) { m.Grants = append(m.Grants, "root") },
			"manifest: grants: \"root\": unknown grant; known: log, kv, http, spawn, emit, progress, secrets, files, clock, random\n"},
		{"limits", func(m *hive.Manifest) {
			m.Limits = hive.SkillLimits{Memory: 1<<20 - 1, Time: 25 * time.Hour, Fuel: -1, Output: -1, Log: hive.MaxLog + 1}
		}, "manifest: limits.memory: 1048575 bytes: want 1048576 to 4294967296\n" +
			"manifest: limits.output: -1 bytes: want 1024 to 67108864\n" +
			"manifest: limits.log: 65537 bytes: want 0 to 65536\n" +
			"manifest: limits.fuel: -1: want 1 or more, or none\n" +
			"manifest: limits.time: 25h0m0s: want 1ms to 24h0m0s\n"},
		{"schemas", func(m *hive.Manifest) {
			m.Input, m.Output = json.RawMessage(`{`), json.RawMessage(`{"$ref": "http://a.example"}`)
		}, "manifest: schema.input: schema is not JSON: unexpected EOF\n" +
			"manifest: schema.output: schema: \"http://a.example\" is outside of it; only references within the schema are followed\n"},
		{"example", func(m *hive.Manifest) { m.Example = []byte("{}") }, "manifest: example.input: example: missing property 'text'\n"},
		{"no example", func(m *hive.Manifest) { m.Example = nil }, ""},
		{"example without schema", func(m *hive.Manifest) { m.Input, m.Example = nil, []byte("\xff") }, ""},
		{"large example", func(m *hive.Manifest) { m.Example = make([]byte, 1<<20+1) }, "manifest: example.input: 1048577 bytes, at most 1048576 allowed\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := goodManifest(t)
			tt.mutate(&m)
			if got := lines(ValidateManifest(&m)); got != tt.want {
				t.Errorf("ValidateManifest:\n%swant:\n%s", got, tt.want)
			}
		})
	}
}

// Every grant is either given or refused in words; none is forgotten.
func TestEveryGrantIsKnown(t *testing.T) {
	t.Parallel()
	for _, g := range hive.Grants {
		c := &complaints{source: "manifest"}
		checkGrants([]hive.Grant{g}, c)
		if err := c.join(); err != nil && !strings.HasSuffix(err.Error(), hive.ErrNotSupported.Error()) {
			t.Errorf("grant %s: %v", g, err)
		}
	}
}

// FuzzLoad: a folder that Load takes holds a manifest that ValidateManifest
// takes and that travels as JSON unchanged; all else is one line per complaint.
func FuzzLoad(f *testing.F) {
	f.Add(goodTOML)
	f.Add("manifest_version = 1\nname = \"a\"\nversion = \"1.0.0\"\n")
	f.Add("manifest_version = 1\nname = \"a\"\nversion = \"1.0.0\"\nenv.A = \"b\"\nbuild.command = [\"x\"]\n[[limits]]\nx=[{a=1}]\n")
	f.Add("\"\" = 1979-05-27\n'a\\n'.\"b\\u001b\" = [1e3, inf, 07:32:00]\n")
	files := goodFiles()
	delete(files, FileName)
	root, err := openFolder(writeFolder(f, files))
	if err != nil {
		f.Fatal(err)
	}
	defer root.Close()
	f.Fuzz(func(t *testing.T, text string) {
		folder, err := load(root, []byte(text))
		if err != nil {
			for l := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(l, FileName) || len(l) > 2*maxLine || printable(strings.TrimSuffix(l, "\n"), len(l)) != strings.TrimSuffix(l, "\n") {
					t.Fatalf("complaint %q", l)
				}
			}
			return
		}
		if err := ValidateManifest(&folder.Manifest); err != nil {
			t.Fatalf("ValidateManifest of what Load took: %v", err)
		}
		wire, err := json.Marshal(folder.Manifest)
		if err != nil {
			t.Fatal(err)
		}
		var back hive.Manifest
		if err := json.Unmarshal(wire, &back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, folder.Manifest) {
			t.Fatalf("manifest %+v came back as %+v", folder.Manifest, back)
		}
	})
}

// FuzzManifest: manifests are what a stranger sends.
func FuzzManifest(f *testing.F) {
	good, err := json.Marshal(goodManifest(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"name": "a", "version": "1.0.0", "limits": {"memory": -1}, "grants": [""], "input": {"$ref": "#"}}`))
	f.Fuzz(func(t *testing.T, wire []byte) {
		var m hive.Manifest
		if json.Unmarshal(wire, &m) != nil {
			return
		}
		if err := ValidateManifest(&m); err != nil {
			for l := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(l, "manifest: ") || len(l) > 2*maxLine {
					t.Fatalf("complaint %q", l)
				}
			}
		}
	})
}
