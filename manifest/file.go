package manifest

import (
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// fileVersion is the only manifest_version there is.
const fileVersion = 1

// Bounds of what a skill may ask for; zero means the default.
const (
	minMemory = 1 << 20 // bytes
	minTime   = time.Millisecond
	minOutput = 1 << 10 // bytes
)

// File is skill.toml as it is written.
type File struct {
	ManifestVersion int64
	Name            string
	Version         string
	Description     string
	Contract        string
	Entry           string
	Warmup          *bool
	Args            []string
	Env             map[string]string
	Requires        hive.Selector
	Grants          []string
	Build           Build
	Input           string            // path of the payload's JSON Schema
	Output          string            // path of the result's JSON Schema
	Example         string            // path of an example payload
	ExampleOutput   string            // path of what it must answer
	HTTP            map[string]string // paths of what servers answer to it, by "METHOD URL"
	Secrets         map[string]string // what it is told
	Files           map[string]string // paths of folders that it may read
	Allow           hive.Allow
	Limits          hive.SkillLimits
}

// keys is the one table of the keys of skill.toml.
func (f *File) keys() keys {
	f.Env, f.Build.Env = map[string]string{}, map[string]string{}
	f.HTTP, f.Secrets, f.Files = map[string]string{}, map[string]string{}, map[string]string{}
	return keys{
		leaves: map[string]setter{
			"manifest_version": number(&f.ManifestVersion, 1, fileVersion, fileVersion),
			"name":             text(&f.Name),
			"version":          text(&f.Version),
			"description":      text(&f.Description),
			"contract":         text(&f.Contract),
			"entry":            text(&f.Entry),
			"warmup":           boolean(&f.Warmup),
			"args":             list(&f.Args),
			"requires":         selector(&f.Requires),
			"grants":           list(&f.Grants),
			"build.command":    list(&f.Build.Command),
			"build.output":     text(&f.Build.Output),
			"build.sources":    list(&f.Build.Sources),
			"schema.input":     text(&f.Input),
			"schema.output":    text(&f.Output),
			"example.input":    text(&f.Example),
			"example.output":   text(&f.ExampleOutput),
			"allow.http":       list(&f.Allow.HTTP),
			"allow.kv":         list(&f.Allow.KV),
			"allow.spawn":      list(&f.Allow.Spawn),
			"allow.secrets":    list(&f.Allow.Secrets),
			"allow.files":      list(&f.Allow.Files),
			"allow.clock":      text((*string)(&f.Allow.Clock)),
			"allow.random":     text((*string)(&f.Allow.Random)),
			"limits.memory_mb": number(&f.Limits.Memory, 1<<20, minMemory>>20, hive.MaxMemory>>20),
			"limits.time":      duration(&f.Limits.Time, minTime, hive.MaxTimeout),
			"limits.output_kb": number(&f.Limits.Output, 1<<10, minOutput>>10, hive.MaxResult>>10),
			"limits.log_kb":    number(&f.Limits.Log, 1<<10, 0, hive.MaxLog>>10),
			"limits.fuel":      number(&f.Limits.Fuel, 1, 1, math.MaxInt64),
		},
		tables: map[string]map[string]string{
			"build": nil, "schema": nil, "example": nil, "limits": nil, "allow": nil,
			"env": f.Env, "build.env": f.Build.Env,
			"example.http": f.HTTP, "example.secrets": f.Secrets, "example.files": f.Files,
		},
	}
}

// Parse reads the text of a skill.toml. It checks keys and their types; what
// their values mean is checked by Load. The error joins all complaints.
func Parse(text []byte) (*File, error) {
	c := &complaints{source: FileName}
	f, _ := parse(text, c)
	if err := c.join(); err != nil {
		return nil, err
	}
	return f, nil
}

// parse returns what can be read of the file; false says that it is not TOML.
func parse(text []byte, c *complaints) (f *File, ok bool) {
	f = &File{}
	if !f.keys().decode(text, c) {
		return f, false
	}
	if f.ManifestVersion == 0 && !c.about("manifest_version") {
		c.add("manifest_version", "missing; write manifest_version = %d", fileVersion)
	}
	if len(f.Env) == 0 {
		f.Env = nil // as in a manifest that came over the wire
	}
	return f, true
}

// build returns the build table with its default output filled in.
func (f *File) build(dir string, c *complaints) Build {
	b := f.Build
	checkEnv("build.env", b.Env, c)
	checkSources(dir, b.Sources, c)
	switch {
	case c.about("build.command"):
	case b.Command == nil && len(b.Env) > 0:
		c.add("build.env", "nothing is built without build.command")
	case b.Command != nil && b.Command[0] == "":
		c.add("build.command", "want a program and its arguments, as [\"go\", \"build\"]")
	}
	// The suffix keeps a build from overwriting the skill's own sources.
	if b.Output != "" && (!localPath(b.Output) || path.Ext(b.Output) != ".wasm") {
		c.add("build.output", "%.80q: want the path of a .wasm file inside the folder", b.Output)
	}
	if b.Output == "" {
		b.Output = f.Name + ".wasm"
	}
	b.Output = path.Clean(b.Output)
	return b
}

// maxSources bounds build.sources.
const maxSources = 16

func checkSources(dir string, sources []string, c *complaints) {
	if len(sources) > maxSources {
		c.add("build.sources", "%d of them, at most %d allowed", len(sources), maxSources)
		return
	}
	for _, s := range sources {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(s)))
		if err != nil || !info.IsDir() || path.IsAbs(s) || strings.Contains(s, `\`) {
			c.add("build.sources", "%.80q: want the path of a folder, from this one on", s)
		}
	}
}

// localPath reports whether p, with slashes, stays inside the folder.
func localPath(p string) bool {
	return !strings.Contains(p, `\`) && filepath.IsLocal(filepath.FromSlash(p)) && p != "."
}
