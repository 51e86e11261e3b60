package runtime

import (
	"maps"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
)

// The names by which host and guest meet.
const (
	exportRun    = "hive_run"
	exportStart  = "_start"
	exportInit   = "_initialize"
	exportMemory = "memory"
)

// contract returns how the program wants to be called, or why it cannot be.
func (m *module) contract() (hive.Contract, error) {
	switch {
	case m.has(exportRun, kindFunction):
		return hive.ContractReactor, nil
	case slices.Contains(m.importedModules(), extismModule):
		return "", refuse("Extism plugins are not supported yet")
	case m.has(exportStart, kindFunction):
		return hive.ContractCommand, nil
	}
	return "", refuse("no entry point: exports neither %s (WASI command) nor %s (Hive reactor)", exportStart, exportRun)
}

func (m *module) has(export string, kind byte) bool {
	return slices.Contains(m.exports, symbol{"", export, kind})
}

// importedModules returns each module the program imports from once.
func (m *module) importedModules() []string {
	names := map[string]bool{}
	for _, s := range m.imports {
		names[s.module] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// check reports why the program cannot be called by the contract.
func (m *module) check(c hive.Contract, hosts map[string]hostModule) error {
	for _, s := range m.imports {
		if c == hive.ContractCommand && s.module == hiveModule {
			return refuse("imports %s, but only a program that exports %s may", s, exportRun)
		}
		if _, known := hosts[s.module].functions[s.name]; !known {
			return unknownImport(s)
		}
	}
	if !m.has(exportMemory, kindMemory) {
		return refuse("does not export its memory as %q", exportMemory)
	}
	return nil
}

// unknownImport explains the usual ways to build for another host.
func unknownImport(s symbol) error {
	switch {
	case s.module == "wasi_unstable":
		return refuse("imports wasi_unstable, an outdated WASI; build for WASI preview 1")
	case strings.HasPrefix(s.module, "wasi:"):
		return refuse("imports %s of a later WASI; build for WASI preview 1", s)
	case s.module == "gojs" || s.module == "go":
		return refuse("imports %s, which no host provides; build with GOOS=wasip1", s)
	}
	return refuse("imports %s, which no host provides", s)
}

// String returns "module.name".
func (s symbol) String() string {
	return plain(s.module, maxName) + "." + plain(s.name, maxName)
}

// checkTypes reports functions whose type is not the one their name stands
// for. Types are known once the program is compiled.
func checkTypes(code wazero.CompiledModule, c hive.Contract, hosts map[string]hostModule) error {
	for _, f := range code.ImportedFunctions() {
		module, name, _ := f.Import()
		host := hosts[module].functions[name]
		want := signature(host.ParamTypes(), host.ResultTypes())
		if got := signature(f.ParamTypes(), f.ResultTypes()); got != want {
			return refuse("imports %s as %s, but it is %s", symbol{module: module, name: name}, got, want)
		}
	}
	entries := map[string]string{exportStart: signature(nil, nil)}
	if c == hive.ContractReactor {
		entries = map[string]string{exportRun: signature(i32s(1), i32s(1)), exportInit: signature(nil, nil)}
	}
	exports := code.ExportedFunctions()
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if err := checkExport(name, exports[name], entries[name]); err != nil {
			return err
		}
	}
	return nil
}

func checkExport(name string, f api.FunctionDefinition, want string) error {
	if f == nil { // only _initialize may be missing: contract saw the others
		return nil
	}
	if got := signature(f.ParamTypes(), f.ResultTypes()); got != want {
		return refuse("exports %s as %s, but it must be %s", name, got, want)
	}
	return nil
}
