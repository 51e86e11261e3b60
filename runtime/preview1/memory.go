package preview1

import (
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"
)

// le is the byte order of every number in a guest's memory.
var le = binary.LittleEndian

// view returns n bytes of the guest's memory at ptr, to read and to write, or
// false if they are not all within it. n may be any product of 32-bit numbers.
//
// wazero ends its slice at ptr+n in 32 bits, which is 0 at the very end of a
// memory of 4 GiB: such a range counts as outside, instead of a panic.
func view(mem api.Memory, ptr, n uint64) ([]byte, bool) {
	ptr = uint64(uint32(ptr))
	if n == 0 {
		_, ok := mem.Read(uint32(ptr), 0)
		return nil, ok
	}
	if n >= 1<<32 || ptr+n >= 1<<32 {
		return nil, false
	}
	return mem.Read(uint32(ptr), uint32(n))
}

// put32 writes a result of four bytes.
func put32(mem api.Memory, ptr uint64, v uint32) errno {
	if !mem.WriteUint32Le(uint32(ptr), v) {
		return fault
	}
	return success
}

// put64 writes a result of eight bytes.
func put64(mem api.Memory, ptr uint64, v uint64) errno {
	if !mem.WriteUint64Le(uint32(ptr), v) {
		return fault
	}
	return success
}
