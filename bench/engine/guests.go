package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hive-spore/hive/bench/engine/work"
)

// guest is a program that does the job.
type guest struct {
	name     string
	file     string
	contract work.Contract
	native   string // the program that does the same without a sandbox
}

var guests = []guest{
	{"C", "c.wasm", work.Reactor, ""},
	{"Rust", "rust.wasm", work.Reactor, ""},
	{"AssemblyScript", "as.wasm", work.Reactor, ""},
	{"Go", "go.wasm", work.Reactor, ""},
	{"C command", "c-command.wasm", work.Command, "c-native"},
	{"Go command", "go-command.wasm", work.Command, "go-native"},
	{"Extism plugin in C", "c-extism.wasm", work.Plugin, ""},
}

// subjects that run guests of a contract, in the order of the tables.
var subjects = map[work.Contract][]work.Subject{
	work.Reactor: {work.Ours, work.OursFresh, work.Warm, work.WarmMetered, work.Plain, work.PlainClose, work.Wasmtime},
	work.Command: {work.Ours, work.OursFresh, work.Plain, work.PlainClose, work.Exec},
	work.Plugin:  {work.Ours, work.OursFresh, work.Extism},
}

// kernels are functions that are measured with and without fuel. A real one is
// a kind of work, the others show the worst.
var kernels = []struct{ name, file, function, does string }{
	{"C", "c-kernels.wasm", "sha256", "SHA-256 of 1 MiB"},
	{"C", "c-kernels.wasm", "json", "JSON of 100 KB"},
	{"C", "c-kernels.wasm", "sort", "sort"},
	{"C", "c-kernels.wasm", "loop", "tight loop"},
	{"C", "c-kernels.wasm", "recursion", "recursion"},
	{"Go", "go-kernels.wasm", "sha256", "SHA-256 of 1 MiB"},
	{"Go", "go-kernels.wasm", "json", "JSON of 100 KB"},
	{"Go", "go-kernels.wasm", "sort", "sort"},
	{"Go", "go-kernels.wasm", "regex", "regular expressions"},
}

// build is how one file comes about, in the folder guests.
type build struct {
	file    string
	env     []string
	command []string // the word OUT stands for the file
}

// cFree is C without a library. No built-ins: what is copied byte by byte is
// not to become a call of memcpy.
func cFree(file, source string, more ...string) build {
	return build{file: file, command: slices.Concat(strings.Fields(
		"clang --target=wasm32 -nostdlib -fno-builtin -O2 -Wl,--no-entry -o OUT"), more, []string{source})}
}

func goWASI(file, folder string, more ...string) build {
	return build{file, []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"},
		slices.Concat(strings.Fields("go build -trimpath -o OUT"), more, []string{folder})}
}

// builds are all files there are. asc and rustc are programs.
func builds(asc, rustc string) []build {
	const library = "-buildmode=c-shared"
	return []build{
		cFree("c.wasm", "c/reactor.c"),
		cFree("c-meet.wasm", "c/reactor.c", "-DMEET"),
		cFree("c-extism.wasm", "c/extism.c"),
		cFree("c-runaway.wasm", "c/runaway.c"),
		cFree("c-kernels.wasm", "c/kernels.c"),
		{"c-command.wasm", nil, strings.Fields("clang --target=wasm32-wasi -O2 -o OUT c/command.c")},
		{"c-native", nil, strings.Fields("clang -O2 -o OUT c/command.c")},
		{"rust.wasm", nil, append([]string{rustc}, strings.Fields("--crate-type cdylib --edition 2021 --target wasm32-unknown-unknown "+
			"-C opt-level=3 -C panic=abort -C lto=yes -C strip=symbols -o OUT rust/job.rs")...)},
		{"as.wasm", nil, append([]string{asc}, strings.Fields("assemblyscript/job.ts -O3 --runtime incremental "+
			"--exportStart _initialize --use abort=assemblyscript/job/abort -o OUT")...)},
		goWASI("go.wasm", "./go/reactor", library),
		goWASI("go-meet.wasm", "./go/reactor", library, "-tags=meet"),
		goWASI("go-runaway.wasm", "./go/runaway", library),
		goWASI("go-kernels.wasm", "./go/kernels", library),
		goWASI("go-command.wasm", "./go/command"),
		{"go-native", []string{"CGO_ENABLED=0"}, strings.Fields("go build -trimpath -o OUT ./go/command")},
	}
}

// Tools are the programs that build guests.
type Tools struct {
	ASC, Rustc string // paths
}

// Guests builds all guests into a directory below cache, unless they are there:
// its name depends on their sources and on how they are built. It returns that
// directory.
func (t Tools) Guests(ctx context.Context, repo, cache string) (string, error) {
	sources := filepath.Join(repo, "bench", "guests")
	all := builds(t.ASC, t.Rustc)
	key, err := t.key(ctx, sources, all)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "guests", key)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(dir), ".new-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(unfinished)
	for _, b := range all {
		if err := b.run(ctx, sources, unfinished); err != nil {
			return "", err
		}
	}
	if err := os.Rename(unfinished, dir); err != nil && !os.IsExist(err) { // another run may have been faster
		return "", err
	}
	return dir, nil
}

// key stands for the sources, the commands and the versions of the compilers.
func (t Tools) key(ctx context.Context, sources string, all []build) (string, error) {
	hash := sha256.New()
	err := filepath.WalkDir(sources, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(hash, "%s %d\n%s\n", strings.TrimPrefix(path, sources), len(content), content)
		return err
	})
	if err != nil {
		return "", err
	}
	versions, err := t.Versions(ctx)
	fmt.Fprintln(hash, all, versions)
	return hex.EncodeToString(hash.Sum(nil)[:8]), err
}

// versionNumber is what the compilers answer to --version, beside other words.
var versionNumber = regexp.MustCompile(`[0-9]+\.[0-9.]+`)

// Versions names the compilers.
func (t Tools) Versions(ctx context.Context) ([]string, error) {
	var all []string
	for _, c := range []struct{ name, program string }{{"clang", "clang"}, {"rustc", t.Rustc}, {"asc", t.ASC}} {
		out, err := exec.CommandContext(ctx, c.program, "--version").Output()
		if err != nil {
			return nil, fmt.Errorf("%s --version: %w", c.program, err)
		}
		all = append(all, c.name+" "+versionNumber.FindString(string(out)))
	}
	return all, nil
}

func (b build) run(ctx context.Context, sources, dir string) error {
	command := slices.Clone(b.command)
	command[slices.Index(command, "OUT")] = filepath.Join(dir, b.file)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = sources
	cmd.Env = append(os.Environ(), b.env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", b.file, err, said)
	}
	return nil
}
