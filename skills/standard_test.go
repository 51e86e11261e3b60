// Package skills_test builds the standard skills with their real compilers and
// tries them in a sandbox.
package skills_test

import (
	"context"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/internal/build"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/manifest"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/spore"
)

var update = flag.Bool("update", false, "write the copies of the SDK and the examples' results")

func TestMain(m *testing.M) {
	testkit.Main(m, func() error { return goleak.Find() })
}

// skill is one that can be called.
type skill struct {
	folder  *manifest.Folder
	program *spore.Program
}

// programs are what was built, by the names of skills. No tests here are parallel.
var programs = map[string][]byte{}

// open builds a standard skill, once, and has it started, with changes to its
// manifest.
func open(t testing.TB, name string, changes ...func(*hive.Manifest)) *skill {
	t.Helper()
	folder, err := manifest.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if programs[name] == nil {
		programs[name] = compile(t, name)
	}
	engine, err := runtime.New(t.Context(), runtime.Options{Careful: true, Host: hostfuncs.Modules(), Admit: testkit.Admit(), CacheDir: testkit.CacheDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close(context.Background()) })
	for _, change := range changes {
		change(&folder.Manifest)
	}
	m := folder.Manifest
	m.Input = nil // a program knows by itself what it cannot take
	program, err := spore.Prepare(t.Context(), engine, programs[name], &m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close(context.Background()) })
	return &skill{folder, program}
}

func compile(t testing.TB, name string) []byte {
	t.Helper()
	dir := copied(t, name)
	testkit.Compiler(t, dir)
	path, err := build.Builder{}.Folder(t.Context(), dir)
	if err == nil {
		err = testkit.Precompile(testkit.CacheDir(t), path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return []byte(read(t, path))
}

// copied copies a skill and what it is built with, so that builds leave nothing in
// the sources.
func copied(t testing.TB, name string) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"sdk", "internal", name} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			to := filepath.Join(root, "skills", path)
			switch {
			case err != nil:
				return err
			case entry.Name() == "node_modules": // an author's own
				return filepath.SkipDir
			case entry.IsDir():
				return os.MkdirAll(to, 0o755)
			}
			write(t, to, read(t, path))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "go.mod"), read(t, "../go.mod"))
	return filepath.Join(root, "skills", name)
}

// call runs one attempt.
func (s *skill) call(t testing.TB, payload []byte) hive.Outcome {
	t.Helper()
	told := hostfuncs.NewHTTP(hostfuncs.HTTPOptions{Transport: hostfuncs.Responses(s.folder.Rehearsal.HTTP)})
	return s.program.Run(t.Context(), &hostfuncs.Attempt{HTTP: told}, runtime.Call{Payload: payload, Timeout: time.Minute})
}

// answer is the result of a payload that has one.
func (s *skill) answer(t testing.TB, payload []byte) []byte {
	t.Helper()
	out := s.call(t, payload)
	if out.Failure != nil {
		t.Fatalf("of %.200q, the failure is %v", payload, out.Failure)
	}
	return out.Result
}

// refuses checks that a payload fails for good, in one line.
func (s *skill) refuses(t testing.TB, payload []byte, want string) {
	t.Helper()
	f := s.call(t, payload).Failure
	if f == nil || f.Kind != hive.FailSkill && f.Kind != hive.FailInput || !f.Permanent || !strings.Contains(f.Message, want) || strings.Contains(f.Message, "\n") {
		t.Errorf("of %.200q, the failure is %v; want one for good with %q", payload, f, want)
	}
}

// TestStandard: each skill builds from its folder, warms up, and answers its example
// with what stands beside it. What it cannot read fails for good.
func TestStandard(t *testing.T) {
	for _, tt := range []struct{ name, bad, want string }{
		{"digest", "", ""},
		{"fetch", `{"url":"ftp://example.com"}`, `"url" is "ftp://example.com", want https://HOST/PATH`},
		{"histogram", "{}", `"values" and "text" are both missing`},
		{"secscan", "{}", `"path" is missing`},
		{"summarize", "{}", `"text" is missing`},
		{"thumbnail", "hello", "the payload is neither PNG nor JPEG"},
		{"wordcount", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, warmup := open(t, tt.name), "yes"
			if w := s.folder.Manifest.Warmup; w != nil && !*w {
				warmup = "no: the manifest says so"
			}
			if info := s.program.Info(); info.Contract != hive.ContractReactor || info.Mode != runtime.ModeRestored || info.Warmup != warmup {
				t.Errorf("%s, %s: %s, warm-up: %s", info.Contract, info.Mode, info.Reason, info.Warmup)
			}
			m := &s.folder.Manifest
			got := s.answer(t, m.Example)
			if *update {
				write(t, filepath.Join(tt.name, s.folder.GoldenFile), string(got))
			} else if string(got) != string(s.folder.Golden) {
				t.Errorf("answers its example with\n%.2000q\nwant\n%.2000q", got, s.folder.Golden)
			}
			schema, err := manifest.Compile(m.Output)
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.CheckResult(got); err != nil {
				t.Error(err)
			}
			if tt.want != "" {
				s.refuses(t, []byte(tt.bad), tt.want)
			}
		})
	}
}

// TestCopies: what skills in Go have of the SDK is what it is.
func TestCopies(t *testing.T) {
	source := read(t, "sdk/go/hive.go")
	copies, err := filepath.Glob("*/hive.go")
	if err != nil || len(copies) == 0 {
		t.Fatal(copies, err)
	}
	for _, path := range copies {
		if *update {
			write(t, path, source)
		}
		if read(t, path) != source {
			t.Errorf("%s is not skills/sdk/go/hive.go; go test ./skills -run TestCopies -update makes it so", path)
		}
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
