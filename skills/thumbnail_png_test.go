package skills_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"math/rand/v2"
)

// kindOfPNG is one of the kinds that PNG has. Go's encoder makes some of them only.
type kindOfPNG struct {
	color, depth byte
	interlaced   bool
	key          bool // a transparent colour, or a palette with transparency
}

func (k kindOfPNG) channels() int { return map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[k.color] }

// kindsOfPNG returns all of them.
func kindsOfPNG() (kinds []kindOfPNG) {
	for c, depths := range map[byte][]byte{0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}} {
		for _, depth := range depths {
			for i := range 4 {
				if key := i&1 == 1; !key || c < 4 {
					kinds = append(kinds, kindOfPNG{c, depth, i&2 == 2, key})
				}
			}
		}
	}
	return kinds
}

var adam7 = []struct{ x, y, dx, dy int }{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}

// encodePNG makes an image of random samples with random filters. Few different samples
// make the transparent colour likely.
func encodePNG(random *rand.Rand, k kindOfPNG, w, h int) []byte {
	passes := adam7
	if !k.interlaced {
		passes = passes[:0:0]
		passes = append(passes, struct{ x, y, dx, dy int }{0, 0, 1, 1})
	}
	var raw bytes.Buffer
	for _, p := range passes {
		pw, ph := max(0, w-p.x+p.dx-1)/p.dx, max(0, h-p.y+p.dy-1)/p.dy
		stride := (pw*k.channels()*int(k.depth) + 7) / 8
		above := make([]byte, stride)
		for range ph {
			if pw == 0 {
				break
			}
			row := make([]byte, stride)
			for i := range row {
				row[i] = byte(random.IntN(256))
				if random.IntN(3) > 0 {
					row[i] = []byte{0, 255, 0x55}[random.IntN(3)]
				}
			}
			raw.Write(filterRow(byte(random.IntN(5)), row, above, max(1, k.channels()*int(k.depth)/8)))
			above = row
		}
	}
	var compressed bytes.Buffer
	z, _ := zlib.NewWriterLevel(&compressed, random.IntN(10))
	z.Write(raw.Bytes())
	z.Close()
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(w)), uint32(h))
	header = append(header, k.depth, k.color, 0, 0, 0)
	if k.interlaced {
		header[12] = 1
	}
	chunks := []chunkOfPNG{{"IHDR", header}, {"tEXt", []byte("a\x00b")}}
	if k.color == 3 {
		palette := make([]byte, 3<<k.depth)
		for i := range palette {
			palette[i] = byte(random.IntN(256))
		}
		chunks = append(chunks, chunkOfPNG{"PLTE", palette})
	}
	if k.key {
		chunks = append(chunks, chunkOfPNG{"tRNS", map[byte][]byte{0: {0, 0}, 2: {0, 0, 0, 0, 0, 0}, 3: {0, 200}}[k.color]})
	}
	cut := random.IntN(compressed.Len() + 1)
	return joinPNG(append(chunks, chunkOfPNG{"IDAT", compressed.Bytes()[:cut]}, chunkOfPNG{"IDAT", compressed.Bytes()[cut:]}, chunkOfPNG{"IEND", nil})...)
}

type chunkOfPNG struct {
	name string
	body []byte
}

func joinPNG(chunks ...chunkOfPNG) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	for _, c := range chunks {
		out = binary.BigEndian.AppendUint32(out, uint32(len(c.body)))
		named := append([]byte(c.name), c.body...)
		out = binary.BigEndian.AppendUint32(append(out, named...), crc32.ChecksumIEEE(named))
	}
	return out
}

// repairPNG makes the checksums of a damaged image right, so that what is behind them
// gets to see it.
func repairPNG(data []byte) {
	for at := 8; at+12 <= len(data); {
		end := at + 8 + int(binary.BigEndian.Uint32(data[at:]))
		if end < at || end+4 > len(data) {
			return
		}
		binary.BigEndian.PutUint32(data[end:], crc32.ChecksumIEEE(data[at+4:end]))
		at = end + 4
	}
}

func filterRow(filter byte, row, above []byte, back int) []byte {
	out := []byte{filter}
	for i, v := range row {
		var left, corner byte
		if i >= back {
			left, corner = row[i-back], above[i-back]
		}
		a, b, c := int(left), int(above[i]), int(corner)
		pa, pb, pc := abs(b-c), abs(a-c), abs(a+b-2*c)
		paeth := corner
		if pa <= pb && pa <= pc {
			paeth = left
		} else if pb <= pc {
			paeth = above[i]
		}
		out = append(out, v-[]byte{0, left, above[i], byte((a + b) / 2), paeth}[filter])
	}
	return out
}

func abs(n int) int { return max(n, -n) }

// pixel returns a pixel in eight bits, without the loss of Go's conversions.
func pixel(m image.Image, x, y int) color.NRGBA {
	var c color.NRGBA
	byteOf := func(v uint16) uint8 { return uint8((uint32(v)*255 + 32767) / 65535) }
	switch v := m.At(x, y).(type) {
	case color.NRGBA:
		c = v
	case color.NRGBA64:
		c = color.NRGBA{byteOf(v.R), byteOf(v.G), byteOf(v.B), byteOf(v.A)}
	default: // opaque, of which nothing is lost
		r, g, b, a := v.RGBA()
		c = color.NRGBA{byteOf(uint16(r)), byteOf(uint16(g)), byteOf(uint16(b)), byteOf(uint16(a))}
	}
	if c.A == 0 {
		return color.NRGBA{}
	}
	return c
}
