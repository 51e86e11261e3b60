package prepare

// Slice is the fuel a guest takes at once: so much it runs before it looks
// whether to stop, 10 to 40 µs.
const Slice = 100_000

// What instructions cost, in units of fuel. One unit is an instruction a
// processor does in a cycle or less, and so are most; structure is free, as in
// wasmtime. The others are estimates of how many of those take as long on
// amd64, as powers of two.
const (
	costPlain    = 1
	costDivide   = 8   // i32/i64 div and rem
	costRoot     = 4   // f32/f64 div and sqrt
	costCall     = 4   // and one for each parameter and result
	costIndirect = 8   // the same through a table
	costHost     = 128 // the same of an imported function: leaves the guest
	costAtomic   = 8   // a locked instruction
	costGrow     = 256 // memory.grow, table.grow: leaves the guest
	costBulk     = 16  // memory.fill, copy, init; table.fill, copy, init
	costDrop     = 16  // data.drop, elem.drop

	// memory.fill and copy are charged by length, too, before they begin;
	// memory.init and the instructions of tables by one for each byte or entry.
	bytesPerUnit = 1 << bytesShift
	bytesShift   = 3

	localsPerUnit = 8 // the locals of a function are zeroed when it is called
)

// chunk is the most memory.fill and memory.copy do without looking whether to
// stop, in bytes.
const chunk = 1 << 20

// slack is how much more than the cheapest way to a point a way may cost
// before it is charged by itself. See meter.go.
const slack = 64

// costs has the cost of each instruction of one byte, without what a branch
// or call carries.
var costs = func() (c [256]int64) {
	for op := range c {
		c[op] = costPlain
	}
	for _, op := range []byte{opUnreachable, 0x01, opBlock, opLoop, opElse, opEnd, opDrop} {
		c[op] = 0
	}
	for _, op := range []byte{0x6d, 0x6e, 0x6f, 0x70, 0x7f, 0x80, 0x81, 0x82} {
		c[op] = costDivide
	}
	for _, op := range []byte{0x91, 0x95, 0x9f, 0xa3} {
		c[op] = costRoot
	}
	c[opMemoryGrow] = costGrow
	c[opAtomic] = costAtomic
	return c
}()

// miscCosts are those behind opMisc from miscMemoryInit on.
var miscCosts = [...]int64{
	miscMemoryInit: costBulk, miscMemoryCopy: costBulk, miscMemoryFill: costBulk,
	miscTableInit: costBulk, miscTableCopy: costBulk, miscTableFill: costBulk,
	miscDataDrop: costDrop, miscElemDrop: costDrop,
	miscTableGrow: costGrow, miscTableSize: costPlain,
	0: costPlain, 1: costPlain, 2: costPlain, 3: costPlain, // saturating conversions
	4: costPlain, 5: costPlain, 6: costPlain, 7: costPlain,
}
