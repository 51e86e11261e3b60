package runtime

import "github.com/tetratelabs/wazero/experimental"

const pageSize = 64 << 10

// memory is the linear memory of one attempt. wazero's own limit is one for a
// whole runtime; this one is the skill's.
type memory struct {
	limit  uint64
	wanted uint64 // what a growth beyond limit would have made of it; 0: none was denied
	bytes  []byte
}

// Allocate implements experimental.MemoryAllocator. An instance has at most
// one memory.
func (m *memory) Allocate(_, _ uint64) experimental.LinearMemory { return m }

// Reallocate answers nil beyond the limit, which memory.grow reports as -1.
func (m *memory) Reallocate(size uint64) []byte {
	if size > m.limit {
		m.wanted = size
		return nil
	}
	if size > uint64(cap(m.bytes)) {
		room := size
		if m.bytes != nil { // a memory that grows once grows again
			room = min(m.limit, size+size/4)
		}
		grown := make([]byte, size, room)
		copy(grown, m.bytes)
		m.bytes = grown
	}
	m.bytes = m.bytes[:size]
	return m.bytes
}

// Free implements experimental.LinearMemory.
func (m *memory) Free() { m.bytes = nil }
