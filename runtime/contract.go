package runtime

import (
	"maps"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/runtime/prepare"
)

// The names by which host and guest meet.
const (
	exportRun   = "hive_run"
	exportStart = "_start"
	exportInit  = "_initialize"
)

// contract returns how the program wants to be called, or why it cannot be.
func contract(p *prepare.Module) (hive.Contract, error) {
	for _, i := range p.Imports {
		if i.Kind != prepare.KindFunction {
			return "", refuse("imports the %s %s, which no host provides", kindNames[i.Kind], symbol(i))
		}
	}
	switch {
	case exportsFunction(p, exportRun):
		return hive.ContractReactor, nil
	case slices.Contains(importedModules(p), extismModule):
		return hive.ContractExtism, nil
	case exportsFunction(p, exportStart):
		return hive.ContractCommand, nil
	}
	return "", refuse("no entry point: exports neither %s (WASI command) nor %s (Hive reactor), and is no Extism plugin", exportStart, exportRun)
}

func exportsFunction(p *prepare.Module, name string) bool {
	return slices.Contains(p.Exports, prepare.Export{Name: name, Kind: prepare.KindFunction})
}

// importedModules returns each module the program imports from once.
func importedModules(p *prepare.Module) []string {
	names := map[string]bool{}
	for _, i := range p.Imports {
		names[i.Module] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// checkImports reports what no host gives to programs of the contract.
func checkImports(p *prepare.Module, c hive.Contract, hosts map[string]hostModule) error {
	for _, i := range p.Imports {
		if i.Module == hiveModule && c != hive.ContractReactor {
			return refuse("imports %s, but only a program that exports %s may", symbol(i), exportRun)
		}
		if i.Module == extismModule && c != hive.ContractExtism {
			return refuse("imports %s, but is no Extism plugin: it exports %s", symbol(i), exportRun)
		}
		if _, known := hosts[i.Module].functions[i.Name]; !known {
			return unknownImport(i)
		}
	}
	return nil
}

var kindNames = [...]string{"function", "table", "memory", "global"}

// unknownImport explains the usual ways to build for another host.
func unknownImport(i prepare.Import) error {
	switch {
	case i.Module == "wasi_unstable":
		return refuse("imports wasi_unstable, an outdated WASI; build for WASI preview 1")
	case strings.HasPrefix(i.Module, "wasi:"):
		return refuse("imports %s of a later WASI; build for WASI preview 1", symbol(i))
	case i.Module == "gojs" || i.Module == "go":
		return refuse("imports %s, which no host provides; build with GOOS=wasip1", symbol(i))
	}
	return refuse("imports %s, which no host provides", symbol(i))
}

// symbol returns "module.name".
func symbol(i prepare.Import) string { return plain(i.Module, maxName) + "." + plain(i.Name, maxName) }

// entryName returns the function that the contract calls.
func entryName(c hive.Contract, m *hive.Manifest) string {
	switch {
	case c == hive.ContractReactor:
		return exportRun
	case c == hive.ContractExtism:
		return m.Entry
	}
	return exportStart
}

// checkTypes reports functions whose type is not the one their name stands
// for. Types are known once the program is compiled.
func checkTypes(code wazero.CompiledModule, c hive.Contract, m *hive.Manifest, hosts map[string]hostModule) error {
	for _, f := range code.ImportedFunctions() {
		module, name, _ := f.Import()
		host := hosts[module].functions[name]
		want := signature(host.ParamTypes(), host.ResultTypes())
		if got := signature(f.ParamTypes(), f.ResultTypes()); got != want {
			return refuse("imports %s as %s, but it is %s", symbol(prepare.Import{Module: module, Name: name}), got, want)
		}
	}
	exports := code.ExportedFunctions()
	entry := entryName(c, m)
	if exports[entry] == nil {
		return missingEntry(entry, exports)
	}
	switch {
	case c == hive.ContractCommand:
		return checkExport(entry, exports[entry], "()")
	case c == hive.ContractReactor:
		if err := checkExport(entry, exports[entry], "(i32) -> i32"); err != nil {
			return err
		}
		return checkExport(exportInit, exports[exportInit], "()")
	case callable(exports[entry]):
		return nil
	}
	return missingEntry(entry, exports)
}

// callable reports whether a function is what Extism calls: () -> i32, or ().
func callable(f api.FunctionDefinition) bool {
	got := signature(f.ParamTypes(), f.ResultTypes())
	return got == "() -> i32" || got == "()"
}

// missingEntry lists what an Extism plugin could be called by: it has no one
// name for it.
func missingEntry(entry string, exports map[string]api.FunctionDefinition) error {
	var could []string
	for name, f := range exports {
		if callable(f) {
			could = append(could, plain(name, maxName))
		}
	}
	slices.Sort(could)
	offer := plain(strings.Join(could, ", "), 3*maxName)
	if entry == "" {
		return refuse("is an Extism plugin: say which function to call, by entry in skill.toml or --entry: %s", offer)
	}
	return refuse("exports no function %q without parameters to call as entry; it exports: %s", plain(entry, maxName), offer)
}

func checkExport(name string, f api.FunctionDefinition, want string) error {
	if f == nil { // only _initialize may be missing
		return nil
	}
	if got := signature(f.ParamTypes(), f.ResultTypes()); got != want {
		return refuse("exports %s as %s, but it must be %s", name, got, want)
	}
	return nil
}
