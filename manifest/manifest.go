// Package manifest reads what a skill says of itself: the strict skill.toml of
// a skill folder, and the JSON Schemas of payloads and results.
//
// Everything that is wrong is reported at once, one line per complaint, each
// naming its key and what to do about it.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/hive-spore/hive"
)

// FileName is the file that makes a folder a skill folder.
const FileName = "skill.toml"

// What is read of a skill folder at most, in bytes.
const (
	maxFile    = 64 << 10
	maxSchema  = 256 << 10
	maxExample = hive.MaxInline
)

// Folder is a skill folder that has been read and found right.
type Folder struct {
	Dir      string
	Manifest hive.Manifest
	Build    Build
	Golden   []byte // what the example must answer; nil: nobody says, or not yet
	// GoldenFile is the path of that in the folder, with slashes.
	GoldenFile string
	Rehearsal  Rehearsal
}

// Rehearsal is what a skill is told while its example runs. It stays with the
// folder.
type Rehearsal struct {
	HTTP    map[string][]byte // responses, by "METHOD URL"
	Secrets map[string]string
	Files   map[string]string // paths of folders, by the names the skill has for them
}

// Build says how the program is made. It stays with the folder and never
// travels.
type Build struct {
	Command []string          // argv, run in the folder; none: the program is there already
	Env     map[string]string // added to the builder's environment
	Output  string            // path of the program in the folder, with slashes
	Sources []string          // paths of folders outside of this one that it is built of as well, with slashes
}

// Load reads the skill folder dir: its skill.toml and the files that names.
// The error joins all complaints.
func Load(dir string) (*Folder, error) {
	root, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	text, err := readFile(root, FileName, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no %s; a skill is a folder with one, or a .wasm file", dir, FileName)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return load(root, text)
}

// load reads the files in root that text, a skill.toml, names.
func load(root *os.Root, text []byte) (*Folder, error) {
	c := &complaints{source: FileName}
	file, ok := parse(text, c)
	if !ok {
		return nil, c.join()
	}
	folder := &Folder{Dir: root.Name(), Manifest: file.manifest(root, c), Build: file.build(root.Name(), c)}
	folder.GoldenFile = file.ExampleOutput
	if _, err := root.Stat(filepath.FromSlash(file.ExampleOutput)); !errors.Is(err, fs.ErrNotExist) || !localPath(file.ExampleOutput) {
		folder.Golden = readExample(root, "example.output", file.ExampleOutput, c)
	} // else it is to be written: nexus skill test --update
	folder.Rehearsal = file.rehearsal(root, c)
	if err := c.join(); err != nil {
		return nil, err
	}
	return folder, nil
}

func openFolder(dir string) (*os.Root, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no such skill folder: %s", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("skill folder: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("skill folder: %w", err)
	}
	return root, nil
}

// manifest is the part of the file that travels, with the files it names read.
func (f *File) manifest(root *os.Root, c *complaints) hive.Manifest {
	m := hive.Manifest{
		Name: f.Name, Version: f.Version, Description: f.Description,
		Contract: hive.Contract(f.Contract), Entry: f.Entry, Warmup: f.Warmup, Args: f.Args, Env: f.Env,
		Limits: f.Limits, Requires: f.Requires, Allow: f.Allow,
	}
	for _, g := range f.Grants {
		m.Grants = append(m.Grants, hive.Grant(g))
	}
	m.Input = readSchema(root, "schema.input", f.Input, c)
	m.Output = readSchema(root, "schema.output", f.Output, c)
	m.Example = readExample(root, "example.input", f.Example, c)
	checkManifest(&m, c)
	return m
}

// maxRehearsal bounds how many things of a kind a skill is told in its example.
const maxRehearsal = 64

// rehearsal reads what the tables below example name.
func (f *File) rehearsal(root *os.Root, c *complaints) Rehearsal {
	if len(f.HTTP)+len(f.Secrets)+len(f.Files) == 0 {
		return Rehearsal{}
	}
	r := Rehearsal{HTTP: map[string][]byte{}, Secrets: f.Secrets, Files: map[string]string{}}
	if n := max(len(f.HTTP), len(f.Secrets), len(f.Files)); n > maxRehearsal {
		c.add("example", "%d things of a kind, at most %d allowed", n, maxRehearsal)
		return r
	}
	for _, asked := range slices.Sorted(maps.Keys(f.HTTP)) {
		r.HTTP[asked] = readExample(root, "example.http."+asked, f.HTTP[asked], c)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Files)) {
		path := f.Files[name]
		if info, err := root.Stat(filepath.FromSlash(path)); !localPath(path) || err != nil || !info.IsDir() {
			c.add("example.files."+name, "%.80q: want the path of a folder in this one", path)
		}
		r.Files[name] = filepath.Join(root.Name(), filepath.FromSlash(path))
	}
	return r
}

// readSchema leaves out a schema that is not JSON at all: a manifest that
// cannot be written as JSON cannot travel.
func readSchema(root *os.Root, key, name string, c *complaints) json.RawMessage {
	if name == "" {
		return nil
	}
	text, err := readFile(root, name, maxSchema)
	if err != nil {
		c.add(key, "%w", err)
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		c.add(key, "%s is not JSON: %w", name, err)
		return nil
	}
	return compact.Bytes()
}

func readExample(root *os.Root, key, name string, c *complaints) []byte {
	if name == "" {
		return nil
	}
	example, err := readFile(root, name, maxExample)
	if err != nil {
		c.add(key, "%w", err)
	}
	return example
}
