package runtime

import (
	"bytes"
	"slices"
	"testing"

	"github.com/hive-spore/hive"
)

// refusal is a program and why it is refused.
type refusal struct {
	name string
	wasm []byte
	want string
}

const (
	damaged = "not a WebAssembly module: truncated or damaged"
	noEntry = "no entry point: exports neither _start (WASI command) nor hive_run (Hive reactor), and is no Extism plugin"
)

// sections returns a module of raw sections.
func sections(s ...[]byte) []byte { return slices.Concat(header, slices.Concat(s...)) }

var notModules = []refusal{
	{"nothing", nil, "not a WebAssembly module"},
	{"text", []byte("#!/bin/sh\n"), "not a WebAssembly module"},
	{"component", []byte("\x00asm\x0d\x00\x01\x00"),
		"this is a WebAssembly component; build a core module (WASI preview 1)"},
	{"version 2", []byte("\x00asm\x02\x00\x00\x00"), "not a WebAssembly module of version 1"},
	{"unknown section", sections([]byte{99, 0}), damaged},
	{"rest in a section", sections(section(12, []byte{0, 0})), damaged},
	{"ill-typed", command(num(1), add).bytes(), `not a valid WebAssembly module: ` +
		`invalid function[0] export["_start"]: cannot pop the 2nd operand for i32.add: i32 missing`},
}

var misfits = []refusal{
	{"empty", header, noEntry},
	{"entry is no function", guest{exports: []export{{exportStart, kindMemory}}}.bytes(), noEntry},
	{"type of _start", typed(command(num(0)), 0, 1), "exports _start as () -> i32, but it must be ()"},
	{"type of hive_run", typed(reactor(), 2, 0), "exports hive_run as (i32, i32), but it must be (i32) -> i32"},
}

// typed gives the first function of a guest another type.
func typed(g guest, params, results int) []byte {
	g.funcs[0].params, g.funcs[0].results = params, results
	return g.bytes()
}

var strangers = []refusal{
	{"unknown", importing("env", "foo"), "imports env.foo, which no host provides"},
	{"hostile", importing("env\n", "\x1b[31mfoo"), "imports env.[31mfoo, which no host provides"},
	{"hive", importing("hive", "kv_get"), "imports hive.kv_get, but only a program that exports hive_run may"},
	{"memory", sections(section(2, vec([]byte("\x03env\x06memory\x02\x00\x01")))),
		"imports the memory env.memory, which no host provides"},
	{"something", sections(section(2, vec([]byte("\x03env\x01x\x09\x00")))), damaged},
	{"another type", importing(wasiModule, "fd_write"),
		"imports wasi_snapshot_preview1.fd_write as (), but it is (i32, i32, i32, i32) -> i32"},
	{"unstable", importing("wasi_unstable", "fd_write"),
		"imports wasi_unstable, an outdated WASI; build for WASI preview 1"},
	{"preview 2", importing("wasi:io/streams@0.2.0", "read"),
		"imports wasi:io/streams@0.2.0.read of a later WASI; build for WASI preview 1"},
	{"GOOS=js", importing("gojs", "runtime.wasmExit"),
		"imports gojs.runtime.wasmExit, which no host provides; build with GOOS=wasip1"},
	{"Extism", importing(extismModule, "input_length"), "imports extism:host/env.input_length, which no host provides"},
}

// importing returns a command that imports a function without parameters.
func importing(module, name string) []byte {
	g := command()
	g.imports = []imported{{module, name, 0, 0}}
	return g.bytes()
}

var features = []refusal{
	{"threads", withMemory(3, 1, 1), "uses shared memory (threads), which is not supported"},
	{"64 bits", withMemory(4, 1), "uses 64-bit memory, which is not supported"},
	{"GC", sections(section(1, []byte{1, 0x5f, 0})), "uses WebAssembly GC, which is not supported"},
	{"GC references", sections(section(1, []byte{1, 0x60, 1, 0x6e, 0})),
		"uses reference types of WebAssembly GC or exception handling, which is not supported"},
	{"GC constants", sections(section(6, []byte{1, 0x7f, 0, 0xfb})), "uses WebAssembly GC, which is not supported"},
	{"typed table", sections(section(4, []byte{1, 0x64, 0x70, 0, 1})),
		"uses a table of typed references, which is not supported"},
	{"exceptions", sections(section(13, []byte{1, 0, 0})), "uses exception handling, which is not supported"},
	{"atomics", command([]byte{0xfe, 0x03, 0x00}).bytes(),
		"uses the WebAssembly feature threads, which is not supported"},
}

func withMemory(encoded ...byte) []byte {
	return guest{funcs: command().funcs, memory: encoded}.bytes()
}

// uncountable is 2³²−1, a number of things no file has.
var uncountable = []byte{0xff, 0xff, 0xff, 0xff, 0x0f}

// The most a program may have, as docs/abi.md says.
const (
	maxCode      = 1 << 20
	maxLocals    = 50_000
	maxAllLocals = 4_000_000
	maxTableSize = 1 << 18
)

// bombs are small modules that would end the process, or take its memory.
var bombs = []refusal{
	{"functions", sections(section(3, uncountable)), "has 4294967295 functions, at most 100000 are allowed"},
	{"types", sections(section(1, uncountable)), "has 4294967295 types, at most 100000 are allowed"},
	{"parameters", sections(section(1, []byte{1, 0x60}, uncountable)),
		"has 4294967295 parameters, at most 1000 are allowed"},
	{"elements", sections(section(4, []byte{1, 0x70, 0, 0}), section(9, []byte{1, 0, 0x41, 0, 0x0b}, uncountable)), damaged},
	{"data", sections(section(11, []byte{1, 1}, uncountable)), damaged},
	{"locals", withLocals(1, uncountable), "has a function with 4294967295 locals, at most 50000 are allowed"},
	{"locals of all", withLocals(maxAllLocals/maxLocals+1, uleb(maxLocals)), "has more than 4000000 locals"},
	{"code", command(bytes.Repeat([]byte{0x01}, maxCode)).bytes(),
		"has a function of 1048578 bytes, at most 1048576 are allowed"},
	{"entries", sections(section(4, []byte{1, 0x70, 0}, uncountable)),
		"has tables of 4294967295 entries, at most 262144 are allowed"},
	{"tables", sections(section(4, vec(slices.Repeat([][]byte{{0x70, 0, 0}}, 17)...))),
		"has 17 tables, at most 16 are allowed"},
	{"memories", sections(section(5, vec([]byte{0, 1}, []byte{0, 1}))), "has 2 memories, at most 1 are allowed"},
}

// withLocals returns a code section of functions with so many locals each.
func withLocals(functions int, locals []byte) []byte {
	function := slices.Concat([]byte{1}, locals, []byte{0x7f, 0x0b})
	function = append(uleb(len(function)), function...)
	return sections(section(10, vec(slices.Repeat([][]byte{function}, functions)...)))
}

func TestRefusals(t *testing.T) {
	e := newEngine(t, Options{})
	for group, list := range map[string][]refusal{
		"not a module": notModules, "misfit": misfits, "import": strangers, "feature": features, "bomb": bombs,
	} {
		for _, r := range list {
			t.Run(group+"/"+r.name, func(t *testing.T) {
				if got := refused(t, e, r.wasm, hive.Manifest{}); got != r.want {
					t.Errorf("Prepare() refuses with\n\t%q, want\n\t%q", got, r.want)
				}
			})
		}
	}
}

// TestManifestMismatch is about programs that would do with another manifest.
func TestManifestMismatch(t *testing.T) {
	e := newEngine(t, Options{})
	for _, tt := range []struct {
		wasm     []byte
		manifest hive.Manifest
		want     string
	}{
		{command().bytes(), hive.Manifest{Contract: hive.ContractReactor},
			`the manifest says contract "reactor", but the program is a command`},
		{reactor(num(0)).bytes(), hive.Manifest{Contract: hive.ContractCommand},
			`the manifest says contract "command", but the program is a reactor`},
		{withMemory(0, 17), hive.Manifest{Limits: hive.SkillLimits{Memory: 1 << 20}},
			"begins with 1088 KiB of memory, its limit is 1 MiB"},
	} {
		if got := refused(t, e, tt.wasm, tt.manifest); got != tt.want {
			t.Errorf("Prepare(%+v) = %q, want %q", tt.manifest, got, tt.want)
		}
		if got := refused(t, e, tt.wasm, hive.Manifest{}); got != "" {
			t.Errorf("Prepare() without it = %q", got)
		}
	}
}
