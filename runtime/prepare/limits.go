package prepare

// What a module may declare, whatever its bytes can back: wazero allocates by
// the count alone, compiles deep nesting in quadratic time and ignores its
// context while it does.
const (
	maxFunctions = 100_000
	maxLocals    = 50_000    // of one function
	maxAllLocals = 4_000_000 // of all functions: wazero takes 8 bytes for each
	maxCode      = 1 << 20   // bytes of one function
	maxMetered   = 4 << 20   // the same when it counts its fuel
	maxNesting   = 1_000
	maxTargets   = 65_520    // of one br_table
	maxParams    = 1_000     // of one function type, and results
	maxOperands  = 1_000_000 // values on the stack of one function that has a select
	maxTables    = 16
	maxTable     = 1 << 18 // entries, unless the options say otherwise
	maxTypes     = 100_000
	maxImports   = 10_000
	maxGlobals   = 10_000
	maxExports   = 100_000
	maxNameLen   = 1 << 10 // bytes, of a function in the name section: wazero repeats it in each frame
	maxPages     = 1 << 16
	noLimit      = 1<<32 - 1
)
