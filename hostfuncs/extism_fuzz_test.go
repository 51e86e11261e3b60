package hostfuncs

import (
	"encoding/binary"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/hive-spore/hive"
)

// numbers returns n numbers of 8 bytes each that look random.
func numbers(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, seed))
	var b []byte
	for range n {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b
}

// words reads the numbers of 8 bytes in b, up to 4,096 of them.
func words(b []byte) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for i := 0; i+8 <= len(b) && i < 8*4096; i += 8 {
			if !yield(binary.LittleEndian.Uint64(b[i:])) {
				return
			}
		}
	}
}

// hostile makes a parameter of x: often an offset that a block has.
func hostile(x uint64, blocks []uint64) uint64 {
	switch x >> 8 % 8 {
	case 0:
		return x
	case 1:
		return -x % 100
	case 2:
		return x >> 16 % 70000
	case 3:
		return x >> 16 % (8 << 20)
	}
	return blocks[x>>16%uint64(len(blocks))]
}

// FuzzExtism calls all functions with any parameters. A guest may be ended by
// a fault and by nothing else, and what it keeps is bounded.
func FuzzExtism(f *testing.F) {
	const room = 4 << 20
	for i := range 8 {
		f.Add(numbers(uint64(i), 900))
	}
	f.Fuzz(func(t *testing.T, steps []byte) {
		p := newPlugin(t, ExtismOptions{
			Payload: []byte("hello bees"), Config: map[string]string{"": "x"}, MaxMemory: room,
		}, hive.GrantLog)
		blocks := []uint64{p.call("input_offset")}
		for x := range words(steps) {
			f := extismFunctions[x%uint64(len(extismFunctions))]
			params := make([]uint64, len(f.params))
			for i := range params {
				params[i] = hostile(x*uint64(i*2+1), blocks)
			}
			result, _ := p.try(f.name, params...)
			if f.name == "alloc" {
				blocks = append(blocks, result)
			}
			p.wantBounded(room)
		}
		if result, failure := p.attempt.Extism.Finish(0); len(result) > room+2*wasmPage || len(failure) > hive.MaxMessage {
			t.Errorf("finished with %d bytes, %d bytes of message", len(result), len(failure))
		}
	})
}

// wantBounded checks what an attempt keeps, and that its blocks do not overlap.
func (p *plugin) wantBounded(room uint64) {
	m := &p.attempt.Extism.memory
	if m.length > room+wasmPage || m.position > m.length || uint64(len(m.chunks)) > m.end()/chunkSize+1 || p.attempt.Extism.varBytes > maxVars {
		p.Fatalf("length %d, position %d, %d chunks, %d bytes of variables", m.length, m.position, len(m.chunks), p.attempt.Extism.varBytes)
	}
	next := uint64(base)
	for _, b := range m.blocks {
		if b.offset != next+headerSize || !b.free && b.used > b.size {
			p.Fatalf("block of %d bytes, %d used, at %d, want %d", b.size, b.used, b.offset, next+headerSize)
		}
		next = b.offset + b.size
	}
	if next != base+m.position {
		p.Fatalf("blocks end at %d, want %d", next, base+m.position)
	}
}
