package spore_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/spore"
)

// TestProgramsOfOthers runs programs that nobody here wrote, as they are.
func TestProgramsOfOthers(t *testing.T) {
	t.Parallel()
	engine, err := runtime.New(t.Context(), runtime.Options{Admit: testkit.Admit(), CacheDir: testkit.CacheDir(t), Host: hostfuncs.Modules(), Careful: true})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(t.Context())
	wazero, extism := moduleDir(t, "github.com/tetratelabs/wazero"), moduleDir(t, "github.com/extism/go-sdk")
	examples := filepath.Join(wazero, "imports/wasi_snapshot_preview1/example/testdata")
	files := []runtime.Mount{{Host: t.TempDir(), Guest: "/in"}}
	if err := os.WriteFile(filepath.Join(files[0].Host, "bees.txt"), []byte("three bees\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file    string
		entry   string
		call    runtime.Call
		result  string
		failure string
	}{
		{file: filepath.Join(wazero, "examples/cli/testdata/cli.wasm"), call: runtime.Call{Args: []string{"3", "4"}}, result: "result: 7\n"},
		{file: filepath.Join(examples, "cargo-wasi/cat.wasm"), call: runtime.Call{Args: []string{"/in/bees.txt"}, Mounts: files}, result: "three bees\n"},
		{file: filepath.Join(examples, "tinygo/cat.wasm"), call: runtime.Call{Args: []string{"/in/bees.txt"}, Mounts: files}, result: "three bees\n"},
		{file: filepath.Join(wazero, "cmd/wazero/testdata/infinite_loop.wasm"), call: runtime.Call{Timeout: 20 * time.Millisecond},
			failure: "timeout: did not finish within 20ms"},
		{file: filepath.Join(extism, "wasm/count_vowels.wasm"), entry: "count_vowels", call: runtime.Call{Payload: []byte("hello world")},
			result: `{"count":3,"total":3,"vowels":"aeiouAEIOU"}`},
	} {
		t.Run(filepath.Base(tt.file), func(t *testing.T) {
			wasm, err := os.ReadFile(tt.file)
			if err != nil {
				t.Fatal(err)
			}
			m := &hive.Manifest{Name: "other", Version: "1.0.0", Entry: tt.entry}
			program, err := spore.Prepare(t.Context(), engine, wasm, m)
			if err != nil {
				t.Fatal(err)
			}
			defer program.Close(t.Context())
			for range 3 {
				tt.call.Log = runtime.NewLog(1 << 10)
				out := program.Run(t.Context(), &hostfuncs.Attempt{}, tt.call)
				failure := ""
				if out.Failure != nil {
					failure = out.Failure.String()
				}
				if string(out.Result) != tt.result || failure != tt.failure {
					t.Errorf("result %q, failure %q, want %q, %q; log %q", out.Result, failure, tt.result, tt.failure, out.Log)
				}
			}
		})
	}
}

func moduleDir(t *testing.T, path string) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(dir))
}
