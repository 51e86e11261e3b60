package hostfuncs

import (
	"encoding/binary"
	"math"
	"testing"
)

func TestExtismInput(t *testing.T) {
	p := newPlugin(t, ExtismOptions{Payload: []byte("hello bees")})
	word := binary.LittleEndian.Uint64([]byte("hello be"))
	input := p.call("input_offset")
	p.wantCall(10, "input_length")
	p.wantCall(10, "length", input)
	p.wantCall('h', "input_load_u8", 0)
	p.wantCall('s', "input_load_u8", 9)
	p.wantCall(word, "input_load_u64", 0)
	p.wantCall(binary.LittleEndian.Uint64([]byte("llo bees")), "input_load_u64", 2)
	p.wantCall(word, "load_u64", input)
	for _, offset := range []uint64{10, far, math.MaxUint64} {
		p.wantCall(0, "input_load_u8", offset)
		p.wantCall(0, "input_load_u64", offset)
	}
	p.wantCall(0, "input_load_u64", 3)
	p.call("input_set", input+6, 4)
	p.wantCall('b', "input_load_u8", 0)
	for _, out := range [][2]uint64{{0, 4}, {input, far}, {far, 1}, {input, math.MaxUint64}} {
		p.call("input_set", out[0], out[1])
		p.wantCall(4, "input_length")
	}
	p.call("input_set", input, 10)
	p.call("free", input)
	p.wantCall(0, "input_length")
	p.wantCall(0, "input_load_u8", 0)
}

func TestExtismNoInput(t *testing.T) {
	p := newPlugin(t, ExtismOptions{})
	p.wantCall(0, "input_length")
	p.wantCall(0, "input_offset")
	p.wantCall(0, "input_load_u8", 0)
	p.wantFinish(0, "", "")
	p.wantFinish(-3, "", "returned -3")
}

func TestExtismBlocks(t *testing.T) {
	p := newPlugin(t, ExtismOptions{MaxMemory: 1 << 20})
	p.wantCall(0, "alloc", 0)
	a, b := p.call("alloc", 100), p.call("alloc", 5)
	if a != base+headerSize || b != a+100+headerSize {
		t.Errorf("blocks of 100 and 5 bytes at %d and %d", a, b)
	}
	for offset, want := range map[uint64]uint64{0: 0, a - 1: 0, a: 100, a + 1: 0, b: 5, far: 0, math.MaxUint64: 0} {
		p.wantCall(want, "length", offset)
		p.wantCall(want, "length_unsafe", offset)
	}
	for _, offset := range []uint64{0, a, a, a + 1, far} {
		p.call("free", offset)
	}
	p.wantCall(0, "length", a)
	for _, n := range []uint64{2 << 20, far, math.MaxUint64, math.MaxUint64 - headerSize} {
		p.wantCall(0, "alloc", n)
	}
	whole := p.call("alloc", 900<<10)
	p.wantCall(900<<10, "length", whole)
	p.wantCall(0, "alloc", 900<<10)
	p.call("reset")
	p.wantCall(0, "length", b)
	p.wantCall(a, "alloc", 7)
}

// TestExtismSplit: what is left of a block that is used again is used, too.
func TestExtismSplit(t *testing.T) {
	p := newPlugin(t, ExtismOptions{MaxMemory: wasmPage})
	whole := p.call("alloc", 60000)
	rest := p.call("alloc", 5000)
	p.call("free", whole)
	end := p.call("alloc", 30000)
	if want := whole + 60000 - 30000; end != want {
		t.Errorf("the second half is at %d, want %d", end, want)
	}
	p.wantCall(whole, "alloc", 30000-headerSize)
	p.wantCall(30000, "length", end)
	p.call("free", end)
	p.wantCall(end, "alloc", 29900)
	p.wantCall(29900, "length", end)
	p.wantCall(5000, "length", rest)
}

func TestExtismLoadAndStore(t *testing.T) {
	p := newPlugin(t, ExtismOptions{MaxMemory: 1 << 20})
	block := p.call("alloc", 100000)
	const word = 0x8877665544332211
	for _, offset := range []uint64{block, block + 1, chunkSize - 3, chunkSize - 7, 2*chunkSize - 1, block + 99992} {
		p.wantCall(0, "load_u64", offset)
		p.call("store_u64", offset, word)
		p.wantCall(word, "load_u64", offset)
		p.wantCall(0x22, "load_u8", offset+1)
		p.call("store_u8", offset+7, 0x1ff)
		p.wantCall(0xff77665544332211, "load_u64", offset)
		p.call("store_u64", offset, 0)
	}
	end := base + p.call("memory_bytes")
	for _, offset := range []uint64{0, base - 1, end - 7, end, far, math.MaxUint64, math.MaxUint64 - 7} {
		p.call("store_u64", offset, word)
		p.wantCall(0, "load_u64", offset)
	}
	for _, offset := range []uint64{0, base - 1, end, far, math.MaxUint64} {
		p.call("store_u8", offset, 1)
		p.wantCall(0, "load_u8", offset)
	}
	p.call("store_u64", end-8, word)
	p.wantCall(word, "load_u64", end-8)
	p.wantCall(0x88, "load_u8", end-1)
}

// TestExtismApart: an attempt finds nothing of another one.
func TestExtismApart(t *testing.T) {
	for range 3 {
		p := newPlugin(t, ExtismOptions{Payload: []byte("abc")})
		block := p.call("alloc", 8)
		p.wantCall(0, "load_u64", block)
		p.wantCall(0, "var_get", p.text("n"))
		p.wantFinish(0, "", "")
		p.call("store_u64", block, 1)
		p.call("store_u8", p.call("input_offset"), 'x')
		p.call("var_set", p.text("n"), p.text("1"))
		p.call("error_set", p.text("broken"))
	}
}

// TestExtismMaxBlocks: the list of blocks is bounded, and what is free in it
// is still used.
func TestExtismMaxBlocks(t *testing.T) {
	m := &NewExtism(ExtismOptions{}).memory
	last := uint64(0)
	for range maxBlocks {
		last = m.alloc(200)
	}
	if last == 0 || m.alloc(200) != 0 || len(m.blocks) != maxBlocks {
		t.Fatalf("%d blocks, the last at %d", len(m.blocks), last)
	}
	m.release(last)
	if again := m.alloc(1); again != last || len(m.blocks) != maxBlocks {
		t.Errorf("a free block at %d is not used: %d", last, again)
	}
}

// TestExtismCost: a guest pays for what it touches, not for what it asks for.
func TestExtismCost(t *testing.T) {
	e := NewExtism(ExtismOptions{MaxMemory: 4 << 30})
	m := &e.memory
	block := m.alloc(3 << 30)
	m.store8(block+3<<30-1, 1)
	made := 0
	for _, c := range m.chunks {
		if c != nil {
			made++
		}
	}
	if block == 0 || made != 2 {
		t.Errorf("a byte in a block of 3 GiB at %d takes %d chunks", block, made)
	}
	m.output = span{block, 3 << 30}
	if e.ResultSize() != 3<<30 {
		t.Errorf("ResultSize() = %d", e.ResultSize())
	}
}
