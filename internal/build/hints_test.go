package build

import "testing"

// TestHints: a hint is for what is missing, as the toolchains of Debian say it, and
// for nothing else.
func TestHints(t *testing.T) {
	for said, want := range map[string]string{
		"clang: error: unable to execute command: Executable \"wasm-ld-14\" doesn't exist!": "\nhint: install lld",
		"error: linker `rust-lld` not found":                                                "\nhint: install lld",
		"wasm-ld-14: error: main.o: undefined symbol: count":                                "",
		"ERROR TS2304: Cannot find name 'count'.":                                           "",
		"Error: Cannot find module '/s/node_modules/assemblyscript/bin/asc.js'":             "\nhint: run npm install in the folder first",
	} {
		if got := hint(said); got != want {
			t.Errorf("hint(%q) = %q, want %q", said, got, want)
		}
	}
}
