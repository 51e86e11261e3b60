package runtime

import (
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

const pageSize = 64 << 10

// memory is the linear memory of one instance: what its guest sees of a space
// in which it can grow. wazero's own limit is one for a whole runtime; this one
// is the skill's.
type memory struct {
	limit uint64 // the skill's
	most  uint64 // the program's own
	space space
	bytes []byte
	peak  uint64 // the highest size since the last restore
	// wanted is what a growth beyond the limit would have made of it; 0: none was
	// denied since the last restore.
	wanted uint64
	begin  uint64 // the size that restore returns to
	cut    bool   // the next growth gives that instead
}

// space is where a memory lies. What nobody wrote to is zero, but for the image
// it begins with.
type space interface {
	// grow returns the first size bytes with those of held kept, or nil if there
	// is no room for them. limit is the most that will ever be asked for.
	grow(held []byte, size, limit uint64) []byte
	// reset makes the first most bytes what they were at the beginning, and
	// returns how many bytes it goes on to hold beside what all instances share.
	// Without touched nothing was written to that was not written to before an
	// earlier reset.
	reset(held []byte, most uint64, touched bool) (resident uint64, err error)
	free()
}

// Allocate implements experimental.MemoryAllocator. An instance has at most
// one memory.
func (m *memory) Allocate(_, _ uint64) experimental.LinearMemory { return m }

// Reallocate answers nil beyond the limit, which memory.grow reports as -1.
func (m *memory) Reallocate(size uint64) []byte {
	if m.cut {
		m.bytes = m.bytes[:m.begin]
		return m.bytes
	}
	if size > m.most {
		return nil
	}
	var grown []byte
	if size <= m.limit {
		grown = m.space.grow(m.bytes, size, min(m.limit, m.most))
	}
	if grown == nil {
		m.wanted = max(m.wanted, size)
		return nil
	}
	m.bytes, m.peak = grown, max(m.peak, size)
	return grown
}

// Free implements experimental.LinearMemory.
func (m *memory) Free() {
	m.space.free()
	m.bytes = nil
}

// restore makes the memory what it was. A memory cannot shrink, so wazero is
// told that it grew, and given less: it takes over both the address and the
// length of what it is given. That fails in a memory that cannot grow any more.
func (m *memory) restore(seen api.Memory, touched bool) (resident uint64, ok bool) {
	resident, err := m.space.reset(m.bytes, m.peak, touched)
	if err != nil {
		return 0, false
	}
	if uint64(len(m.bytes)) > m.begin {
		m.cut = true
		_, ok = seen.Grow(1)
		m.cut = false
		if !ok {
			return 0, false
		}
	}
	m.peak, m.wanted = m.begin, 0
	return resident, true
}

// heap is a space of Go's. It is fast where an instance lives for one attempt.
type heap struct{ image []byte }

func (heap) grow(held []byte, size, limit uint64) []byte {
	if held != nil && size <= uint64(cap(held)) {
		return held[:size] // zero beyond what was held: nobody wrote there, or reset cleared it
	}
	room := size
	if held != nil { // a memory that grows once grows again
		room = min(limit, size+size/4)
	}
	grown := make([]byte, size, room)
	copy(grown, held)
	return grown
}

func (h heap) reset(held []byte, most uint64, _ bool) (uint64, error) {
	held = held[:most]
	clear(held[copy(held, h.image):])
	return uint64(cap(held)), nil
}

func (heap) free() {}
