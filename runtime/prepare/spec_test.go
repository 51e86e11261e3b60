package prepare_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/hive-spore/hive/runtime/prepare"
)

// command is one line of a test of the WebAssembly specification.
type command struct {
	Type     string
	Line     int
	Filename string
	Name     string
	As       string
	Text     string
	Action   struct {
		Type, Module, Field string
		Args                []struct {
			Type  string
			Value any
		}
	}
}

// differs are the modules that Prepare may treat in another way than wazero.
var differs = map[string]string{
	"atomic.1.wasm":   "waits for other threads, which nothing could stop",
	"linking.24.wasm": "imports a memory with an upper limit, which prepared modules have not (v1)",
	"linking.34.wasm": "the same in v2",
	"ref_func.5.wasm": "takes a reference to its start function, which the export declares",
}

// wazeroDir is where the module cache has wazero with its test data.
func wazeroDir(tb testing.TB) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		tb.Fatalf("no wazero in the module cache: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// script is one file of the specification's tests in two worlds.
type script struct {
	dir    string
	worlds [2]*world
	last   [2]*instance
	named  [2]map[string]*instance
	calls  int
}

// TestSpecification runs the specification's own tests, as wazero has them,
// original and prepared: every call must give the same.
func TestSpecification(t *testing.T) {
	root := filepath.Join(wazeroDir(t), "internal/integration_test/spectest")
	for engine, config := range engines() {
		for _, suite := range []string{"v1", "v2", "extended-const", "tail-call", "threads"} {
			files, _ := filepath.Glob(filepath.Join(root, suite, "testdata/*.json"))
			if len(files) == 0 {
				t.Fatal("this wazero has no such tests")
			}
			for _, file := range files {
				if testing.Short() && (suite == "v1" || suite == "v2" && engine == "compiler") {
					continue // v2 has all of v1
				}
				t.Run(engine+"/"+suite+"/"+strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
					s := &script{dir: filepath.Dir(file)}
					for i := range s.worlds {
						s.worlds[i] = newWorld(t, config, i == 1)
						s.named[i] = map[string]*instance{}
					}
					s.spectest(t, root)
					s.run(t, file)
				})
			}
		}
	}
}

// spectest is the module that the tests import from.
func (s *script) spectest(t *testing.T, root string) {
	wasm, err := os.ReadFile(filepath.Join(root, "testdata/spectest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range s.worlds {
		if _, err := w.InstantiateWithConfig(t.Context(), wasm, noStart.WithName("spectest")); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *script) run(t *testing.T, file string) {
	var all struct{ Commands []command }
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	for i, c := range all.Commands {
		s.step(t, c, registered(all.Commands[i:]))
	}
}

// registered returns the name under which the module of the first command is
// to be importable: wazero wants to know it when it makes the instance.
func registered(commands []command) string {
	for i, c := range commands {
		switch {
		case c.Type == "register" && (c.Name == "" || c.Name == commands[0].Name):
			return c.As
		case c.Type == "module" && i > 0 && commands[0].Name == "":
			return ""
		}
	}
	return ""
}

func (s *script) step(t *testing.T, c command, as string) {
	switch c.Type {
	case "module", "assert_uninstantiable", "assert_unlinkable", "assert_invalid", "assert_malformed":
		if strings.HasSuffix(c.Filename, ".wasm") {
			s.module(t, c, as)
		}
	case "action", "assert_return", "assert_trap", "assert_exhaustion":
		if c.Action.Type == "invoke" {
			s.invoke(t, c)
		}
	}
}

func (s *script) module(t *testing.T, c command, as string) {
	wasm, err := os.ReadFile(filepath.Join(s.dir, c.Filename))
	if err != nil {
		t.Fatal(err)
	}
	var errs [2]error
	var made [2]*instance
	for i, w := range s.worlds {
		made[i], errs[i] = w.instantiate(t.Context(), wasm, as, plenty)
		if made[i] != nil && made[i].Module == nil {
			made[i] = nil
		}
	}
	if (errs[0] == nil) != (errs[1] == nil) && differs[c.Filename] == "" {
		t.Errorf("line %d: %s: original %v; prepared %v", c.Line, c.Filename, errs[0], errs[1])
	}
	if c.Type != "module" || errs[0] != nil || errs[1] != nil {
		return
	}
	if _, followed := prepare.Choices(wasm); !followed {
		t.Errorf("line %d: %s: the types of its values are not followed", c.Line, c.Filename)
	}
	s.last = made
	for i := range made {
		s.named[i][c.Name] = made[i]
	}
}

func (s *script) invoke(t *testing.T, c command) {
	var args []uint64
	for _, a := range c.Action.Args {
		bits, ok := a.Value.(string)
		n, err := strconv.ParseUint(strings.TrimPrefix(bits, "-"), 10, 64)
		switch {
		case a.Type == "v128":
			args = append(args, lanes(a.Value)...)
			continue
		case bits == "null":
		case strings.HasPrefix(bits, "nan"):
			n = 0x7fc00000
			if a.Type == "f64" {
				n = 0x7ff8 << 48
			}
		case !ok || err != nil:
			t.Fatalf("line %d: argument %v", c.Line, a)
		}
		args = append(args, n)
	}
	var got [2]string
	for i := range s.worlds {
		in := s.last[i]
		if c.Action.Module != "" {
			in = s.named[i][c.Action.Module]
		}
		if in == nil {
			return
		}
		f := in.ExportedFunction(c.Action.Field)
		if f == nil {
			return
		}
		got[i] = outcome(f.Call(t.Context(), args...))
		if strings.Contains(got[i], "stack overflow") {
			got[i] = "overflow"
		}
	}
	s.memories(t, c.Line)
	s.calls++
	if got[0] != got[1] && !strings.Contains(got[0], "expected") {
		t.Errorf("line %d: %s(%x) = %s, prepared %s", c.Line, c.Action.Field, args, got[0], got[1])
	}
}

func (s *script) memories(t *testing.T, line int) {
	a, b := s.last[0].Memory(), s.last[1].Memory()
	if reflect.ValueOf(a).IsNil() {
		return
	}
	x, _ := a.Read(0, a.Size())
	y, _ := b.Read(0, b.Size())
	if !bytes.Equal(x, y) {
		t.Errorf("line %d: memories differ", line)
	}
}

// lanes are the argument for any vector: both worlds get the same.
func lanes(any) []uint64 { return []uint64{0x0123456789abcdef, 0xfedcba9876543210} }
