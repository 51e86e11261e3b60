package sdk_test

import (
	"context"
	"flag"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/internal/build"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/manifest"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/skills/sdk"
	"github.com/hive-spore/hive/spore"
)

var update = flag.Bool("update", false, "write the golden files")

// hosts that kitchen sinks are run on, by the word that makes the test the child
// process which compiles programs for them.
var hosts = map[string]runtime.Options{
	played: {Careful: true, Host: map[string]func(wazero.HostModuleBuilder) wazero.HostModuleBuilder{"hive": add}},
	real:   {Careful: true, Host: hostfuncs.Modules()},
}

const (
	played = "admit-for-played-host"
	real   = "admit-for-real-host"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 {
		if host, ok := hosts[os.Args[1]]; ok {
			if err := runtime.Admit(context.Background(), host, os.Stdin, os.Stdout); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	testkit.Main(m, func() error { return goleak.Find() })
}

// mains are the main files of the scaffolds.
var mains = map[string]string{"assemblyscript": "main.ts", "c": "main.c", "go": "main.go", "rust": "main.rs"}

// scaffold writes a new skill and puts its compiler where an author would.
func scaffold(t testing.TB, language string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "bees")
	if err := sdk.Write(language, "bees", dir); err != nil {
		t.Fatal(err)
	}
	testkit.Compiler(t, dir)
	return dir
}

// compile builds a skill's folder.
func compile(t testing.TB, dir string) []byte {
	t.Helper()
	path, err := build.Builder{}.Folder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	wasm := []byte(read(t, path))
	t.Logf("%d bytes", len(wasm))
	return wasm
}

// prepare has a program started in a real sandbox, which must be able to restore it.
func prepare(t *testing.T, o runtime.Options, admit string, wasm []byte, m *hive.Manifest) *spore.Program {
	t.Helper()
	o.Admit, o.CacheDir = []string{os.Args[0], admit}, testkit.CacheDir(t)
	engine, err := runtime.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close(context.Background()) })
	program, err := spore.Prepare(t.Context(), engine, wasm, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close(context.Background()) })
	if info := program.Info(); info.Mode != runtime.ModeRestored || info.Contract != hive.ContractReactor {
		t.Errorf("%s, %s: %s", info.Contract, info.Mode, info.Reason)
	}
	return program
}

func TestScaffold(t *testing.T) {
	for _, language := range sdk.Languages() {
		t.Run(language, func(t *testing.T) {
			dir := scaffold(t, language)
			wasm := compile(t, dir)
			folder, err := manifest.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			m := &folder.Manifest
			program := prepare(t, runtime.Options{Host: hostfuncs.Modules(), Careful: true}, testkit.Admit()[1], wasm, m)
			info := program.Info()
			// Libraries have imports of their own, those of WASI.
			imports := slices.DeleteFunc(slices.Clone(info.Imports), func(name string) bool { return !strings.HasPrefix(name, "hive.") })
			if want := []string{"hive.fail", "hive.input_read", "hive.log", "hive.output_write"}; !slices.Equal(imports, want) &&
				!slices.Equal(imports, append([]string{"hive.answer_read"}, want...)) {
				t.Errorf("imports %v, want %v", imports, want)
			}
			if info.Warmup != "yes" {
				t.Errorf("warm-up: %s", info.Warmup)
			}
			call := func(payload []byte) hive.Outcome {
				return program.Run(t.Context(), &hostfuncs.Attempt{}, runtime.Call{Payload: payload, Log: runtime.NewLog(1 << 10), Timeout: time.Minute})
			}
			for range 3 {
				out := call(m.Example)
				if out.Failure != nil || string(out.Result) != string(folder.Golden) || string(out.Log) != "info: counted 6 words\n" {
					t.Errorf("answers %q, %v, log %q; want %q", out.Result, out.Failure, out.Log, folder.Golden)
				}
			}
			if f := call(nil).Failure; f == nil || f.Message != "nothing to count" || !f.Permanent {
				t.Errorf("of nothing, the failure is %v", f)
			}
		})
	}
}

// TestKitchenSink has each language call everything there is.
func TestKitchenSink(t *testing.T) {
	const golden = "testdata/kitchen.golden"
	for i, tt := range []struct{ name, language, flag, instead string }{
		{"assemblyscript", "assemblyscript", "", ""},
		{"assemblyscript with its garbage collector", "assemblyscript", `"stub"`, `"incremental"`},
		{"c", "c", `"-Wextra"`, `"-Wextra", "-Wpedantic", "-Wconversion", "-Werror"`},
		{"c without a library", "c", `"--target=wasm32-wasi", "-mexec-model=reactor"`, `"--target=wasm32", "-nostdlib", "-fno-builtin", "-Wl,--no-entry"`},
		{"go", "go", "", ""},
		{"rust", "rust", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, ask := kitchen(t, tt.language, tt.flag, tt.instead)
			h := &host{}
			out := ask(h, "honey ✓")
			if out.Failure != nil {
				t.Fatal(out.Failure)
			}
			got := strings.Join(h.calls, "\n") + "\n\n" + string(out.Result)
			if *update && i == 0 {
				write(t, golden, got)
			}
			if want := read(t, golden); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			h = &host{}
			if out := ask(h, "big"); string(out.Result) != "1048581 110 160" || h.calls[len(h.calls)-1] != "random 34464" {
				t.Errorf("of what is big: %q, %v after %v", out.Result, out.Failure, h.calls)
			}
			for _, tt := range []struct {
				payload   string
				kind      hive.FailureKind
				message   string
				permanent bool
				after     time.Duration
			}{
				{"fail", hive.FailSkill, "not yet", false, 0},
				{"fail for good", hive.FailSkill, "never", true, 0},
				{"fail until later", hive.FailSkill, "busy", false, 90 * time.Second},
				{"error", hive.FailSkill, "absent", false, 0},
				{"panic", hive.FailTrap, "the kitchen is on fire", false, 0},
			} {
				f := ask(&host{}, tt.payload).Failure
				if f == nil || f.Kind != tt.kind || !strings.Contains(f.Message, tt.message) || f.Permanent != tt.permanent || f.RetryAfter != tt.after {
					t.Errorf("%s: the failure is %v, want %s: %s", tt.payload, f, tt.kind, tt.message)
				}
			}
		})
	}
}

// TestRealHost has each language call the functions of package hostfuncs, once with
// all grants and once without any.
func TestRealHost(t *testing.T) {
	const golden = "testdata/real.golden"
	for i, language := range sdk.Languages() {
		t.Run(language, func(t *testing.T) {
			program := sink(t, real, language, "", "")
			got := ""
			for _, grants := range [][]hive.Grant{hive.Grants, nil} {
				a := newAttempt(t, grants)
				log := runtime.NewLog(4 << 10)
				a.Log = log
				out := program.Call(hostfuncs.With(t.Context(), a), runtime.Call{Payload: []byte("honey ✓"), Log: log, Timeout: time.Minute})
				if out.Failure != nil {
					t.Fatal(out.Failure)
				}
				said := regexp.MustCompile(`(?m)^warn: \w+ is denied\n`).ReplaceAll(out.Log, nil) // the host's own words
				got += fmt.Sprintf("Grants: %v\n\n%s\nLog:\n\n%s\nEffects:\n\n%s\n", grants, out.Result, said, effectsText(a.Effects()))
			}
			if *update && i == 0 {
				write(t, golden, got)
			}
			if want := read(t, golden); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestMathRandomIsLive: AssemblyScript's generator is seeded in the attempt that
// calls it first, not in the warm-up call.
func TestMathRandomIsLive(t *testing.T) {
	warmup, ask := kitchen(t, "assemblyscript", "", "")
	if want := "Math.random: random is denied"; !strings.Contains(warmup, want) {
		t.Errorf("warm-up: %s, want %s", warmup, want)
	}
	for range 2 {
		h := &host{}
		out := ask(h, "chance")
		if out.Failure != nil || string(out.Result) != "false" || !slices.Equal(h.calls, []string{"random 8"}) {
			t.Errorf("answers %q, %v after %v, want false after random 8", out.Result, out.Failure, h.calls)
		}
	}
}

// TestRandomIsLive: generators are seeded in each attempt, whatever the warm-up call
// made of them.
func TestRandomIsLive(t *testing.T) {
	for _, language := range []string{"c", "go"} {
		t.Run(language, func(t *testing.T) {
			warmup, ask := kitchen(t, language, "", "")
			first, second := ask(&host{}, "chance"), ask(&host{}, "chance")
			if warmup != "yes" || first.Failure != nil || string(first.Result) == string(second.Result) {
				t.Errorf("warm-up: %s; %q, %v, then %q", warmup, first.Result, first.Failure, second.Result)
			}
		})
	}
}

// sink builds the kitchen sink in the place of a scaffold's main file, with a word
// of its skill.toml replaced.
func sink(t *testing.T, host, language, word, instead string) *spore.Program {
	t.Helper()
	dir := scaffold(t, language)
	source := read(t, "testdata/"+language+"/kitchen"+filepath.Ext(mains[language]))
	write(t, filepath.Join(dir, mains[language]), source)
	toml := filepath.Join(dir, manifest.FileName)
	write(t, toml, strings.Replace(read(t, toml), word, instead, 1))
	m := &hive.Manifest{Name: "kitchen", Version: "1.0.0", Example: []byte("chance")}
	return prepare(t, hosts[host], host, compile(t, dir), m)
}

// kitchen is a kitchen sink on the host of host_test.go.
func kitchen(t *testing.T, language, word, instead string) (warmup string, ask func(*host, string) hive.Outcome) {
	t.Helper()
	program := sink(t, played, language, word, instead)
	return program.Info().Warmup, func(h *host, payload string) hive.Outcome {
		return call(context.WithValue(t.Context(), hostKey{}, h), program, payload)
	}
}

func call(ctx context.Context, program *spore.Program, payload string) hive.Outcome {
	return program.Call(ctx, runtime.Call{Payload: []byte(payload), Log: runtime.NewLog(4 << 10), Timeout: time.Minute})
}

// TestMissingTools: what a build says where its compiler is missing names it.
func TestMissingTools(t *testing.T) {
	for language, want := range map[string]string{"assemblyscript": "node_modules/assemblyscript/", "rust": `build needs "rustc"`} {
		t.Run(language, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "bees")
			if err := sdk.Write(language, "bees", dir); err != nil {
				t.Fatal(err)
			}
			if language == "rust" {
				t.Setenv("PATH", t.TempDir())
			}
			if _, err := (build.Builder{}).Folder(t.Context(), dir); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

// TestWithoutRun: a Go skill that lacks its function is told which.
func TestWithoutRun(t *testing.T) {
	dir := scaffold(t, "go")
	source := filepath.Join(dir, mains["go"])
	write(t, source, strings.Replace(read(t, source), "func run(", "func work(", 1))
	if _, err := (build.Builder{}).Folder(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "undefined: run") {
		t.Errorf("%v, want undefined: run", err)
	}
}

// TestGoOutside: what of a Go skill calls no host is tested by go test, and all of
// it is as gofmt and go vet want it.
func TestGoOutside(t *testing.T) {
	dir := scaffold(t, "go")
	for _, tt := range []struct{ system, arguments string }{
		{"", "test ."}, {"", "vet ."}, {"wasip1", "vet ."},
	} {
		cmd := exec.Command("go", strings.Fields(tt.arguments)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=")
		if tt.system != "" {
			cmd.Env = append(cmd.Env, "GOOS="+tt.system, "GOARCH=wasm")
		}
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %s for %q: %v\n%s", tt.arguments, tt.system, err, said)
		}
	}
	sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(sources) < 4 {
		t.Fatal(sources, err)
	}
	for _, path := range sources {
		if formatted, err := format.Source([]byte(read(t, path))); err != nil || string(formatted) != read(t, path) {
			t.Errorf("%s is not as gofmt makes it: %v", path, err)
		}
	}
}

func TestWrite(t *testing.T) {
	for _, language := range sdk.Languages() {
		parent := t.TempDir()
		if err := os.Mkdir(filepath.Join(parent, "empty"), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"empty", "new/"} {
			dir := parent + "/" + name
			if err := sdk.Write(language, "bees", dir); err != nil {
				t.Fatal(err)
			}
			got := names(t, dir)
			for _, want := range []string{".gitignore", "README.md", "example.golden", "example.json", "skill.toml", mains[language]} {
				if !slices.Contains(got, want) {
					t.Errorf("%s: %s has no %s: %v", language, name, want, got)
				}
			}
			for _, file := range got {
				if strings.HasSuffix(file, ".tmpl") || strings.Contains(read(t, filepath.Join(dir, file)), "SKILLNAME") {
					t.Errorf("%s: %s is still a template", language, file)
				}
			}
		}
		if got, want := names(t, parent), []string{"empty", "new"}; !slices.Equal(got, want) {
			t.Errorf("beside the skill are %v, want %v", got, want)
		}
	}
}

func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "is in the way")
	for _, tt := range []struct{ language, name, dir, want string }{
		{"cobol", "bees", "a", "no SDK for \"cobol\"; known: assemblyscript, c, go, rust"},
		{"", "bees", "a", "no SDK for"},
		{".", "bees", "a", "no SDK for"},
		{"rust", "Bees!", "a", "skill name"},
		{"rust", "bees", ".", "is not empty: it has file"},
		{"rust", "bees", "file", "not a directory"},
		{"rust", "bees", "a/b", "no such file"},
	} {
		if err := sdk.Write(tt.language, tt.name, filepath.Join(dir, tt.dir)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Write(%s, %s, %s) = %v, want %s", tt.language, tt.name, tt.dir, err, tt.want)
		}
	}
	if got := names(t, dir); !slices.Equal(got, []string{"file"}) {
		t.Errorf("failed writes left %v", got)
	}
}

// names returns what is in a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
