package preview1

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/sys"
)

// program is a real one, written by others but for "go", and what its authors
// expect of it. It finds a directory "/" with one file where it may have one.
type program struct {
	name   string // its path within wazero's module; "go" is testdata/world
	args   string // separated by spaces
	stdin  string
	file   string // the file's name, "test.txt" if empty
	stdout string
	exit   uint32
}

const (
	fileText = "greet filesystem\n"
	noTTY    = "stdin isatty: false\nstdout isatty: false\nstderr isatty: false\n/ isatty: false\n"

	wasiTests = "imports/wasi_snapshot_preview1/testdata/"
	wasiCat   = "imports/wasi_snapshot_preview1/example/testdata/"
	cliTests  = "cmd/wazero/testdata/"
	seen      = "args [a b] env queen\ninput honey <nil>\nslept true since 2022 true\nrandom 100000 <nil>\ngoroutine 1\n"
)

var programs = []program{
	{name: wasiTests + "cargo-wasi/wasi.wasm", args: "stat", stdout: noTTY},
	{name: wasiTests + "cargo-wasi/wasi.wasm", args: "ls .", stdout: "./test.txt\n"},
	{name: wasiTests + "tinygo/wasi.wasm", args: "stat", stdout: noTTY},
	{name: wasiTests + "tinygo/wasi.wasm", args: "ls .", stdout: "./test.txt\n"},
	{name: wasiTests + "zig/wasi.wasm", args: "stat", stdout: noTTY},
	{name: wasiTests + "zig/wasi.wasm", args: "ls .", stdout: "./test.txt\n"},
	{name: wasiTests + "zig/wasi.wasm", args: "preopen", stdout: "0: stdin\n1: stdout\n2: stderr\n3: /\n"},
	{name: wasiTests + "zig-cc/wasi.wasm", args: "stat", stdout: noTTY},
	{name: wasiTests + "zig-cc/wasi.wasm", args: "ls .", stdout: "./.\n./..\n./test.txt\n"},
	{name: wasiTests + "zig-cc/wasi.wasm", args: "poll", stdin: "test", stdout: "STDIN\n"},
	{name: wasiTests + "zig-cc/wasi.wasm", args: "poll 0 500", stdout: "STDIN\n"},
	{name: wasiTests + "zig-cc/wasi.wasm", args: "sleepmillis 100", stdout: "OK\n"},
	{name: wasiTests + "zig-cc/wasi.wasm", args: "open-rdonly", stdout: "OK\n"},
	{name: wasiTests + "zig-cc/wasi.wasm", args: "open-wronly", stdout: "OK\n"},
	{name: wasiTests + "zig-cc/wasi.wasm", args: "sock", stdout: "wazero\n"},
	{name: wasiTests + "print_args.wasm", args: "a bc", stdout: "a\x00bc\x00"},
	{name: wasiTests + "print_prestat_dirname.wasm", stdout: "/"},
	{name: wasiTests + "exit_on_start.wasm", exit: 2},
	{name: wasiTests + "exit_on_start_unstable.wasm", exit: 2},
	{name: wasiCat + "cargo-wasi/cat.wasm", args: "/test.txt", stdout: fileText},
	{name: wasiCat + "tinygo/cat.wasm", args: "/test.txt", stdout: fileText},
	{name: wasiCat + "zig/cat.wasm", args: "test.txt", stdout: fileText},
	{name: wasiCat + "zig-cc/cat.wasm", args: "/test.txt", stdout: fileText},
	{name: cliTests + "cat/cat-tinygo.wasm", args: "/test.txt", stdout: fileText},
	{name: cliTests + "wasi_arg.wasm", args: "a bc", stdout: "a\x00bc\x00"},
	{name: cliTests + "wasi_env.wasm", stdout: "BEE=queen\x00"},
	{name: cliTests + "wasi_fd.wasm", file: "bear.txt", stdout: fileText},
	{name: cliTests + "wasi_random_get.wasm"},
	{name: "examples/cli/testdata/cli.wasm", args: "3 4", stdout: "result: 7\n"},
	{name: "examples/cli/testdata/cli.wasm", args: "-sub 3 4", stdout: "result: -1\n"},
	{name: "go", args: "a b", stdin: "honey", stdout: seen, exit: 3},
	{name: "go", args: "a b /test.txt", stdin: "honey", stdout: seen + "file " + fileText + " <nil>\n", exit: 4},
}

// String returns what a row of docs/conformance.md says of the program.
func (p program) String() string {
	return strings.TrimSpace(p.name + " " + p.args)
}

// wazeroDir is where wazero's module is on this machine.
var wazeroDir = sync.OnceValues(func() (string, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	return strings.TrimSpace(string(dir)), err
})

// code returns the program, which is built first if it is ours.
func (p program) code(t *testing.T) []byte {
	t.Helper()
	dir, err := wazeroDir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, filepath.FromSlash(p.name))
	if p.name == "go" {
		path = filepath.Join(t.TempDir(), "world.wasm")
		build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./testdata/world")
		build.Env = append(os.Environ(), "GOFLAGS=", "GOOS=wasip1", "GOARCH=wasm")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	wasm, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// run returns what the program did otherwise than its authors expect, "" for
// nothing. It has its directory if there are to be mounts, under whichever
// preview 1 the runtime has.
func (p program) run(t *testing.T, r wazero.Runtime, mounts bool) string {
	t.Helper()
	var out, log bytes.Buffer
	args := append([]string{"wasi"}, strings.Fields(p.args)...)
	if strings.HasSuffix(p.name, "_arg.wasm") || strings.HasSuffix(p.name, "_args.wasm") {
		args = args[1:] // they print the name as well
	}
	s := &State{Args: args, Env: []string{"BEE=queen"}, Stdin: []byte(p.stdin), Stdout: &out, Stderr: &log,
		World: patient{}}
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	if mounts {
		dir := p.directory(t)
		s.Mounts = []Mount{{"/", openRoot(t, dir)}}
		defer s.Close()
		config = config.WithArgs(args...).WithEnv("BEE", "queen").WithStdin(strings.NewReader(p.stdin)).
			WithStdout(&out).WithStderr(&log).WithFSConfig(wazerosMount(openRoot(t, dir))).
			WithSysNanotime().WithSysWalltime() // its sleep returns at once by default
	}
	ctx := with(s)
	m, err := r.InstantiateWithConfig(ctx, p.code(t), config)
	if err != nil {
		return err.Error()
	}
	defer m.Close(ctx)
	_, err = m.ExportedFunction("_start").Call(ctx)
	var exit *sys.ExitError
	code := uint32(0)
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		return err.Error()
	}
	if code != p.exit || out.String() != p.stdout {
		return fmt.Sprintf("exits with %d, printed %q, log %q", code, &out, &log)
	}
	return ""
}

// directory is the program's.
func (p program) directory(t *testing.T) string {
	t.Helper()
	dir, file := t.TempDir(), p.file
	if file == "" {
		file = "test.txt"
	}
	if err := os.WriteFile(filepath.Join(dir, file), []byte(fileText), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// patient is the world of this process, in which sleeping takes no time.
type patient struct{ live }

func (patient) Sleep(context.Context, time.Duration) {}
