package runtime

import (
	"sync/atomic"
	"unsafe"
)

// What all attempts touch lies in lanes: to write to the same memory, cores wait
// for each other, which takes as long as a small attempt.
const (
	laneBits = 5
	lanes    = 1 << laneBits
)

// here returns the number of the caller's lane. Goroutines that run on different
// cores have their stacks in different places, and those of one core reuse each
// other's.
func here() int {
	var at byte
	const stack = 13 // bits: the size of those that call guests
	h := uint64(uintptr(unsafe.Pointer(&at))>>stack) * 0x9e3779b97f4a7c15
	return int(h >> (64 - laneBits))
}

// cacheLine is what cores share memory by, in bytes.
const cacheLine = 64

// tally is one lane of a count.
type tally struct {
	atomic.Int64
	_ [cacheLine - unsafe.Sizeof(atomic.Int64{})]byte
}
