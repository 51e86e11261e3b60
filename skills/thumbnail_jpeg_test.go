package skills_test

import (
	"bytes"
	"encoding/binary"
	"math"
)

// kindOfJPEG is what encodeJPEG makes. Go's encoder makes one kind only.
type kindOfJPEG struct {
	sampling    [][2]int // of each component: 1, 3 or 4 of them
	progressive bool
	restart     int
	adobe       int // how colours are transformed; -1: nothing says so
	ids         string
}

var zigzag = [64]int{0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42, 49, 56,
	57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63}

// encoder writes the scans of a JPEG, whose code has 8 bits for symbols below 128 and
// 9 for the others.
type encoder struct {
	kindOfJPEG
	w, h, across, down int
	blocks             [][][64]int // of components: coefficients, by block
	columns            []int

	out         bytes.Buffer
	bits, count uint
	predicted   [4]int
	run         int    // blocks that have nothing more in this scan
	later       []uint // bits that come behind that run
}

// encodeJPEG makes an image of what samples are at x and y of a component.
func encodeJPEG(k kindOfJPEG, w, h int, sample func(c, x, y int) float64) []byte {
	e := &encoder{kindOfJPEG: k, w: w, h: h}
	for _, s := range k.sampling {
		e.across, e.down = max(e.across, s[0]), max(e.down, s[1])
	}
	e.segment(0xd8, nil)
	if k.adobe >= 0 {
		e.segment(0xee, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), byte(k.adobe)))
	}
	quant := append([]byte{0}, bytes.Repeat([]byte{3}, 64)...)
	e.segment(0xdb, quant)
	frame := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, uint16(h)), uint16(w))
	frame = append(frame, byte(len(k.sampling)))
	for c, s := range k.sampling {
		frame = append(frame, k.id(c), byte(s[0]<<4|s[1]), 0)
		e.transform(c, s, sample)
	}
	e.segment(map[bool]byte{false: 0xc0, true: 0xc2}[k.progressive], frame)
	for _, class := range []byte{0, 0x10} {
		code := append([]byte{class}, make([]byte, 16)...)
		code[8], code[9] = 128, 128
		for i := range 256 {
			code = append(code, byte(i))
		}
		if class == 0 { // a code of DC has few symbols
			code = append([]byte{class}, make([]byte, 16)...)
			code[8] = 12
			code = append(code, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
		}
		e.segment(0xc4, code)
	}
	if k.restart > 0 {
		e.segment(0xdd, binary.BigEndian.AppendUint16(nil, uint16(k.restart)))
	}
	e.scans()
	e.segment(0xd9, nil)
	return e.out.Bytes()
}

func (k kindOfJPEG) id(c int) byte {
	if k.ids != "" {
		return k.ids[c]
	}
	return byte(c + 1)
}

func (e *encoder) segment(marker byte, body []byte) {
	e.out.Write([]byte{0xff, marker})
	if body != nil {
		e.out.Write(binary.BigEndian.AppendUint16(nil, uint16(len(body)+2)))
		e.out.Write(body)
	}
}

// transform makes the coefficients of a component, of whole units.
func (e *encoder) transform(c int, s [2]int, sample func(c, x, y int) float64) {
	columns, rows := ceil(e.w, 8*e.across)*s[0], ceil(e.h, 8*e.down)*s[1]
	blocks := make([][64]int, columns*rows)
	for b := range blocks {
		var v [64]float64
		for i := range v {
			x, y := b%columns*8+i%8, b/columns*8+i/8
			v[i] = sample(c, min(x*e.across/s[0], e.w-1), min(y*e.down/s[1], e.h-1)) - 128
		}
		for i := range 64 {
			blocks[b][i] = int(math.Round(cosine(&v, i%8, i/8) / 3))
		}
	}
	e.blocks, e.columns = append(e.blocks, blocks), append(e.columns, columns)
}

func ceil(a, b int) int { return (a + b - 1) / b }

var cosines = func() (t [8][8]float64) {
	for k := range 8 {
		for n := range 8 {
			t[k][n] = math.Cos(float64(2*n+1)*float64(k)*math.Pi/16) / 2
			if k == 0 {
				t[k][n] = math.Sqrt(0.125)
			}
		}
	}
	return t
}()

func cosine(v *[64]float64, u, w int) (sum float64) {
	for i, s := range v {
		sum += s * cosines[u][i%8] * cosines[w][i/8]
	}
	return sum
}

func (e *encoder) scans() {
	all := make([]int, len(e.sampling))
	for c := range all {
		all[c] = c
	}
	if !e.progressive {
		e.scan(all, 0, 63, 0, 0)
		return
	}
	e.scan(all, 0, 0, 0, 1)
	for c := range all {
		e.scan(all[c:c+1], 1, 5, 0, 2)
		e.scan(all[c:c+1], 6, 63, 0, 2)
		e.scan(all[c:c+1], 1, 63, 2, 1)
	}
	e.scan(all, 0, 0, 1, 0)
	for c := range all {
		e.scan(all[c:c+1], 1, 63, 1, 0)
	}
}

// scan writes coefficients from a to b of components: their bits from low on, or the one
// bit at low if high tells that the others were written.
func (e *encoder) scan(components []int, a, b, high, low int) {
	head := []byte{byte(len(components))}
	for _, c := range components {
		head = append(head, e.id(c), 0)
	}
	e.segment(0xda, append(head, byte(a), byte(b), byte(high<<4|low)))
	e.predicted = [4]int{}
	columns, rows := ceil(e.w, 8*e.across), ceil(e.h, 8*e.down)
	one := len(components) == 1
	if one {
		s := e.sampling[components[0]]
		columns, rows = ceil(ceil(e.w*s[0], e.across), 8), ceil(ceil(e.h*s[1], e.down), 8)
	}
	for unit := range columns * rows {
		if e.restart > 0 && unit > 0 && unit%e.restart == 0 {
			e.flush()
			e.segment(byte(0xd0+(unit/e.restart-1)%8), nil)
			e.predicted = [4]int{}
		}
		for _, c := range components {
			s := e.sampling[c]
			if one {
				s = [2]int{1, 1}
			}
			for k := range s[0] * s[1] {
				e.block(c, &e.blocks[c][(unit/columns*s[1]+k/s[0])*e.columns[c]+unit%columns*s[0]+k%s[0]], a, b, high, uint(low))
			}
		}
	}
	e.flush()
}

func (e *encoder) block(c int, v *[64]int, a, b, high int, low uint) {
	if a == 0 && high > 0 {
		e.put(uint(v[0]>>low)&1, 1)
	} else if a == 0 {
		dc := v[0] >> low
		size := bitsOf(dc - e.predicted[c])
		e.put(size, 8)
		e.number(dc-e.predicted[c], size)
		e.predicted[c] = dc
	}
	switch a = max(a, 1); {
	case b == 0:
	case high > 0:
		e.refine(v, a, b, low)
	default:
		e.first(v, a, b, low)
	}
}

// first writes coefficients, cut off towards zero.
func (e *encoder) first(v *[64]int, a, b int, low uint) {
	zeros := uint(0)
	for k := a; k <= b; k++ {
		x := v[zigzag[k]] / (1 << low)
		if x == 0 {
			zeros++
			continue
		}
		e.end()
		for ; zeros > 15; zeros -= 16 {
			e.symbol(0xf0)
		}
		size := bitsOf(x)
		e.symbol(zeros<<4 | size)
		e.number(x, size)
		zeros = 0
	}
	if zeros > 0 {
		e.run++
		if !e.progressive || e.run == 100 { // a baseline block ends by itself
			e.end()
		}
	}
}

// refine writes one more bit of coefficients.
func (e *encoder) refine(v *[64]int, a, b int, low uint) {
	last := a - 1 // the last one that is new
	for k := a; k <= b; k++ {
		if abs(v[zigzag[k]])>>low == 1 {
			last = k
		}
	}
	zeros, known := uint(0), []uint(nil)
	for k := a; k <= b; k++ {
		x := abs(v[zigzag[k]]) >> low
		if x == 0 {
			if zeros++; zeros == 16 && k < last {
				e.end()
				e.symbol(0xf0)
				known, zeros = e.write(known), 0
			}
		}
		switch {
		case x == 1:
			e.end()
			e.symbol(zeros<<4 | 1)
			sign := uint(1)
			if v[zigzag[k]] < 0 {
				sign = 0
			}
			e.put(sign, 1)
			known, zeros = e.write(known), 0
		case x > 1:
			known = append(known, uint(x)&1)
		}
	}
	if zeros > 0 || len(known) > 0 {
		e.run++
		e.later = append(e.later, known...)
		if e.run == 100 {
			e.end()
		}
	}
}

func (e *encoder) write(bits []uint) []uint {
	for _, b := range bits {
		e.put(b, 1)
	}
	return nil
}

// end writes that blocks had nothing more.
func (e *encoder) end() {
	if e.run > 0 {
		size := bitsOf(e.run) - 1
		e.symbol(size << 4)
		e.put(uint(e.run)&(1<<size-1), size)
		e.later, e.run = e.write(e.later), 0
	}
}

func bitsOf(n int) (size uint) {
	for n = abs(n); n > 0; n >>= 1 {
		size++
	}
	return size
}

func (e *encoder) number(n int, size uint) {
	if n < 0 {
		n += 1<<size - 1
	}
	e.put(uint(n), size)
}

func (e *encoder) symbol(s uint) {
	if s < 128 {
		e.put(s, 8)
	} else {
		e.put(256+s-128, 9)
	}
}

func (e *encoder) put(bits, n uint) {
	e.bits, e.count = e.bits<<n|bits, e.count+n
	for ; e.count >= 8; e.count -= 8 {
		b := byte(e.bits >> (e.count - 8))
		e.out.WriteByte(b)
		if b == 0xff {
			e.out.WriteByte(0)
		}
	}
	e.bits &= 1<<e.count - 1
}

// flush fills the last byte of a scan.
func (e *encoder) flush() {
	e.end()
	if e.count > 0 {
		e.put(1<<(8-e.count)-1, 8-e.count)
	}
}
