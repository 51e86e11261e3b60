// Package prepare rewrites a WebAssembly module so that an engine can stop it,
// count its work and save and restore its state.
//
// The prepared module does what the original does, and beside that:
//
//   - It counts fuel. Before any instruction could run a second time, its cost
//     is subtracted from the global [Fuel]. Below zero the guest takes the next
//     [Slice] from [Left], leaves for Go once, and traps if [Kill] is not zero
//     or [Left] is used up. All three begin at zero: a host sets [Left] first.
//     What was used is the Left it set, less Left and Fuel as they are now. A
//     guest ran out of fuel if it used more than that: it trapped, or ended by
//     itself before its next look. That is the same in every run.
//   - Every number that can change outside of the memory is exported.
//   - Floats and vectors are not selected but chosen by their bits, which wazero
//     gets right.
//   - Data segments are not applied and no start function runs when an instance
//     is made: the host does both once, in this order, and keeps the result.
//
// No index of the original changes: what is added comes after what was there.
package prepare

// Names of the exports that are added. A module that exports a name beginning
// with [Reserved] of its own is refused.
const (
	Reserved = "hive:"
	Fuel     = Reserved + "fuel"  // i64 global: what is left of the slice; negative when stopped
	Left     = Reserved + "left"  // i64 global: what is left to take slices from
	Kill     = Reserved + "kill"  // i32 global: not zero stops the guest at the end of its slice
	Start    = Reserved + "start" // function: the start function, if Module.Start
)

// Options are the limits that belong to whoever runs the module.
type Options struct {
	// MaxTable is the number of entries tables may have. No table grows beyond it,
	// and a module that begins with more in all is refused. 0: 262,144 (2 MiB).
	MaxTable uint32
}

// Module is a prepared module and what its engine must know.
type Module struct {
	Wasm    []byte
	Imports []Import
	Exports []Export // of the original

	// Why instances cannot be restored, in words that follow "it"; "" if they
	// can. One that cannot needs a new instance for each attempt, and keeps its
	// data segments. It can be stopped all the same.
	Unrestorable string

	Globals []string  // exported numbers that can change: state outside of the memory
	Data    []Segment // in the order to apply them
	Start   bool      // there is an export Start to call after Data is applied
	Memory  Memory
	Entries uint64 // of its tables, to begin with
}

// Kind says what an import or export is.
type Kind byte

// The kinds of imports and exports, as the binary format numbers them.
const (
	KindFunction Kind = iota
	KindTable
	KindMemory
	KindGlobal
)

// Import is something the module needs.
type Import struct {
	Module, Name string
	Kind         Kind
}

// Export is something the module offers.
type Export struct {
	Name string
	Kind Kind
}

// Segment is bytes that belong into the memory before anything runs. It may lie
// outside of the memory, which is a trap when an instance is made.
type Segment struct {
	Offset uint32
	Bytes  []byte // of the slice given to Prepare
}

// Memory is what the original declares, in pages of 64 KiB. The prepared module
// has no upper limit: its engine refuses to grow beyond Max.
type Memory struct {
	Min, Max uint32
	Imported bool
	Exported []string // its names, none if it is private or was added
}

// Prepare rewrites a module. It is a pure function: the same bytes give the
// same module. An error says in one line why the module cannot be used; it
// is of the module, so asking again will not help. What Prepare does not check
// (types, alignments) compiling the result does: no invalid module becomes a
// valid one, but one that refers to its start function without declaring it.
func Prepare(wasm []byte, o Options) (*Module, error) {
	if o.MaxTable == 0 {
		o.MaxTable = maxTable
	}
	m := &module{options: o, start: -1, dataCount: -1}
	if err := m.decode(wasm); err != nil {
		return nil, err
	}
	return m.prepared()
}
