package hostfuncs

import (
	"encoding/binary"
	"slices"
)

// Extism's memory as its kernel lays it out, so that a plugin meets the same
// offsets here as there (github.com/extism/extism, kernel/src/lib.rs):
//
//	|·| root | header | data | header | data | ...        |
//	0 1      base     ^ offset of the block      base+length
//
// The headers are only gaps here: what they say is kept out of the reach of
// guests. Offsets and lengths come from guests, so each may be anything.
const (
	wasmPage   = 65536
	rootSize   = 64
	base       = 1 + rootSize
	headerSize = 12
	// splitAt is the excess at which a block that is used again is split.
	splitAt = 128
	// maxBlocks bounds the list of blocks: 2 MiB of it per attempt. It is
	// searched from its beginning as in the kernel, where this many blocks are
	// slow to use.
	maxBlocks = 65536
	chunkSize = 2048
)

type chunk [chunkSize]byte

// span is a range of the memory.
type span struct{ offset, length uint64 }

// block is one allocation.
type block struct {
	offset uint64 // of its data
	size   uint64 // bytes from there to the next header
	used   uint64 // bytes that were asked for last, if it is in use
	free   bool
}

// extismMemory keeps bytes in chunks that are made when something other than
// nothing is stored there: a guest pays for what it touches. Its zero value
// wants init.
type extismMemory struct {
	limit    uint64 // of length
	length   uint64 // of headers and data, used or not
	position uint64 // length of what was ever allocated
	blocks   []block
	chunks   []*chunk

	input, output span
	failure       uint64 // offset of the error message, or 0

	// Enough for most attempts, so that they cost one allocation in Go.
	fewBlocks [16]block
	fewChunks [16]*chunk
	first     chunk
}

// init makes a memory in which blocks of room bytes in all fit beside an input.
func (m *extismMemory) init(room, input uint64) {
	m.length = wasmPage - rootSize
	m.limit = max(room, wasmPage) + pages(input+headerSize)*wasmPage
	m.blocks = m.fewBlocks[:0]
	m.chunks = append(m.fewChunks[:0], &m.first)
}

// pages returns how many pages of WebAssembly n bytes take.
func pages(n uint64) uint64 { return n/wasmPage + (n%wasmPage+wasmPage-1)/wasmPage }

func (m *extismMemory) end() uint64 { return base + m.length }

// contains reports whether the memory has n bytes at offset.
func (m *extismMemory) contains(offset, n uint64) bool {
	return offset >= base && offset < m.end() && n <= m.end()-offset
}

// alloc returns the offset of n bytes, which are not cleared, or 0 if n is 0
// or there is no room. Freed blocks are used again only when the end of the
// memory is reached, the first that is large enough.
func (m *extismMemory) alloc(n uint64) uint64 {
	if n == 0 || n > m.limit {
		return 0
	}
	need, left := n+headerSize, m.length-m.position-rootSize
	full := len(m.blocks) == maxBlocks
	if (need >= left || full) && need <= m.position {
		if b := m.reuse(n); b != nil {
			b.used, b.free = n, false
			return b.offset
		}
	}
	if full || need >= left && !m.grow(need-left) {
		return 0
	}
	offset := base + m.position + headerSize
	m.blocks = append(m.blocks, block{offset, n, n, false})
	m.position += need
	return offset
}

// grow makes the memory longer by n bytes, rounded up to pages.
func (m *extismMemory) grow(n uint64) bool {
	more := pages(n) * wasmPage
	if m.length+more > m.limit {
		return false
	}
	m.length += more
	return true
}

// reuse returns the first free block of n bytes or more, of which it splits
// off the end if it is much larger.
func (m *extismMemory) reuse(n uint64) *block {
	for i := range m.blocks {
		b := &m.blocks[i]
		switch {
		case !b.free || b.size < n:
			continue
		case b.size-n < splitAt || len(m.blocks) == maxBlocks:
			return b
		}
		b.size -= n + headerSize
		split := block{b.offset + b.size + headerSize, n, 0, true}
		m.blocks = slices.Insert(m.blocks, i+1, split)
		return &m.blocks[i+1]
	}
	return nil
}

// find returns the block in use whose data begins at offset, or nil.
func (m *extismMemory) find(offset uint64) *block {
	i, found := slices.BinarySearchFunc(m.blocks, offset, func(b block, offset uint64) int {
		switch {
		case b.offset < offset:
			return -1
		case b.offset > offset:
			return 1
		}
		return 0
	})
	if !found || m.blocks[i].free {
		return nil
	}
	return &m.blocks[i]
}

// lengthOf returns how many bytes the block at offset has, 0 if there is none.
func (m *extismMemory) lengthOf(offset uint64) uint64 {
	if b := m.find(offset); b != nil {
		return b.used
	}
	return 0
}

// release frees the block at offset, if there is one.
func (m *extismMemory) release(offset uint64) {
	b := m.find(offset)
	if b == nil {
		return
	}
	b.free = true
	if offset == m.input.offset {
		m.input.length = 0
	}
}

// reset frees and clears everything.
func (m *extismMemory) reset() {
	clear(m.fewChunks[:])
	m.first = chunk{}
	m.chunks = append(m.fewChunks[:0], &m.first) // a long list is left to the collector
	m.blocks, m.position = m.blocks[:0], 0
	m.input, m.output, m.failure = span{}, span{}, 0
}

func (m *extismMemory) load8(offset uint64) uint64 {
	if !m.contains(offset, 1) {
		return 0
	}
	if i := offset / chunkSize; i < uint64(len(m.chunks)) && m.chunks[i] != nil {
		return uint64(m.chunks[i][offset%chunkSize])
	}
	return 0
}

// load64 is little-endian, and 0 if any of the bytes is out of bounds.
func (m *extismMemory) load64(offset uint64) uint64 {
	if !m.contains(offset, 8) {
		return 0
	}
	i, at := offset/chunkSize, offset%chunkSize
	if at <= chunkSize-8 {
		if i < uint64(len(m.chunks)) && m.chunks[i] != nil {
			return binary.LittleEndian.Uint64(m.chunks[i][at:])
		}
		return 0
	}
	var word [8]byte
	m.copyOut(word[:], offset)
	return binary.LittleEndian.Uint64(word[:])
}

func (m *extismMemory) store8(offset uint64, x byte) {
	if m.contains(offset, 1) {
		m.chunk(offset)[offset%chunkSize] = x
	}
}

func (m *extismMemory) store64(offset, x uint64) {
	if !m.contains(offset, 8) {
		return
	}
	if at := offset % chunkSize; at <= chunkSize-8 {
		binary.LittleEndian.PutUint64(m.chunk(offset)[at:], x)
		return
	}
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], x)
	m.copyIn(offset, word[:])
}

// chunk returns the chunk of an offset within the memory to store to.
func (m *extismMemory) chunk(offset uint64) *chunk {
	i := int(offset / chunkSize)
	if i >= len(m.chunks) {
		m.chunks = append(m.chunks, make([]*chunk, i+1-len(m.chunks))...)
	}
	if m.chunks[i] == nil {
		m.chunks[i] = new(chunk)
	}
	return m.chunks[i]
}

// put returns the offset of a new block with data in it, or 0.
func (m *extismMemory) put(data []byte) uint64 {
	offset := m.alloc(uint64(len(data)))
	if offset != 0 {
		m.copyIn(offset, data)
	}
	return offset
}

// copyIn stores data at an offset where it fits.
func (m *extismMemory) copyIn(offset uint64, data []byte) {
	for len(data) > 0 {
		n := copy(m.chunk(offset)[offset%chunkSize:], data)
		data, offset = data[n:], offset+uint64(n)
	}
}

// read returns a copy of n bytes at offset, of which the memory has as many.
func (m *extismMemory) read(offset, n uint64) []byte {
	data := make([]byte, n)
	m.copyOut(data, offset)
	return data
}

// copyOut fills to, which is all zeros, with what is at offset.
func (m *extismMemory) copyOut(to []byte, offset uint64) {
	for len(to) > 0 {
		n := min(chunkSize-offset%chunkSize, uint64(len(to)))
		if i := offset / chunkSize; i < uint64(len(m.chunks)) && m.chunks[i] != nil {
			copy(to[:n], m.chunks[i][offset%chunkSize:])
		}
		to, offset = to[n:], offset+n
	}
}
