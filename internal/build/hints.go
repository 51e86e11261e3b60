package build

import "strings"

// packages names what to install for the first word of a build command, on Debian.
var packages = map[string]string{
	"go":    "golang-go, or a newer one from go.dev",
	"clang": "clang lld wasi-libc libclang-rt-14-dev-wasm32",
	"rustc": "rustc libstd-rust-dev-wasm32 lld",
	"node":  "nodejs npm",
	"npx":   "nodejs npm",
	"npm":   "npm",
}

// hints tell what is missing by what a toolchain says then.
var hints = []struct{ said, hint string }{
	{"can't find crate for `std`", "this rustc lacks the target: rustup target add wasm32-unknown-unknown, or on Debian apt-get install libstd-rust-dev-wasm32 and have /usr/bin first in PATH"},
	{"node_modules/assemblyscript", "run npm install in the folder first"},
	{"unable to find library -lc", "install wasi-libc"},
	{"libclang_rt.builtins-wasm32.a", "install libclang-rt-14-dev-wasm32"},
	{"Executable \"wasm-ld", "install lld"}, // not any complaint of the linker
	{"linker `rust-lld` not found", "install lld"},
}

// hint says what is probably missing, or nothing.
func hint(said string) string {
	for _, h := range hints {
		if strings.Contains(said, h.said) {
			return "\nhint: " + h.hint
		}
	}
	return ""
}
