package prepare_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/hive-spore/hive/runtime/prepare"
)

// modulesBelow finds the programs that wazero has to test itself with.
func modulesBelow(t *testing.T, root string) (files []string) {
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".wasm") && !strings.Contains(path, "spectest") && !strings.Contains(path, "infinite_loop") {
			files = append(files, path)
		}
		return err
	})
	return files
}

// TestReal runs programs nobody here wrote, as they are and prepared.
func TestReal(t *testing.T) {
	root := wazeroDir(t)
	refused := map[string]bool{}
	ran := 0
	for _, file := range modulesBelow(t, root) {
		wasm, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := prepare.Prepare(wasm, prepare.Options{}); err != nil {
			refused[filepath.Base(file)] = true
			t.Logf("%s: %v", filepath.Base(file), err)
			continue
		}
		for _, args := range [][]string{{"x"}, {"x", "3", "4"}, {"x", "/text"}, {"x", "ls", "."}} {
			a, b := program(t, wasm, false, args), program(t, wasm, true, args)
			if a != b {
				t.Errorf("%s %v: got\n%s\nprepared\n%s", file, args, a, b)
			}
			ran++
		}
	}
	if ran < 100 {
		t.Errorf("ran only %d", ran)
	}
	for name := range refused {
		if !strings.HasPrefix(name, "eh_") && name != "cpp_exceptions.wasm" && name != "pthread.wasm" && name != "mutex.wasm" {
			t.Errorf("refused %s", name)
		}
	}
}

// program runs a WASI command and returns all that can be seen of it.
func program(t *testing.T, wasm []byte, prepared bool, args []string) string {
	ctx := t.Context()
	w := newWorld(t, engines()["compiler"], prepared)
	defer w.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, w)
	var out, errs bytes.Buffer
	noStart = wazero.NewModuleConfig().WithStartFunctions().WithArgs(args...).WithStdout(&out).WithStderr(&errs).
		WithStdin(strings.NewReader("some words")).
		WithFS(fstest.MapFS{"text": {Data: []byte("a text\n")}})
	defer func() { noStart = wazero.NewModuleConfig().WithStartFunctions() }()
	i, err := w.instantiate(ctx, wasm, "", plenty)
	if err != nil {
		return plain(err)
	}
	start := i.ExportedFunction("_start")
	if start == nil {
		return "no command"
	}
	_, err = start.Call(ctx)
	if exit, ok := err.(*sys.ExitError); ok {
		return "exit " + string(rune('0'+exit.ExitCode())) + out.String() + errs.String()
	}
	return outcome(nil, err) + out.String() + errs.String()
}

// plain leaves out what instantiation says around an error of a start function.
func plain(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(first, "start function[0] failed: ")
}

// TestGo runs Go programs: their data is in thousands of segments.
func TestGo(t *testing.T) {
	wasm := goKernel(t)
	m, err := prepare.Prepare(wasm, prepare.Options{})
	if err != nil || m.Unrestorable != "" || len(m.Data) < 1000 {
		t.Fatalf("Prepare() = %q, %d segments, %v", m.Unrestorable, len(m.Data), err)
	}
	var got [2][]string
	for prepared := range 2 {
		w := newWorld(t, engines()["compiler"], prepared == 1)
		wasi_snapshot_preview1.MustInstantiate(t.Context(), w)
		i, err := w.instantiate(t.Context(), wasm, "", plenty)
		if err != nil {
			t.Fatal(err)
		}
		got[prepared] = append(got[prepared], outcome(i.ExportedFunction("_initialize").Call(t.Context())))
		for _, k := range goKernels {
			got[prepared] = append(got[prepared], outcome(i.ExportedFunction(k.name).Call(t.Context())))
		}
	}
	if strings.Join(got[0], " ") != strings.Join(got[1], " ") {
		t.Errorf("got %v, prepared %v", got[0], got[1])
	}
}
