package skills_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/hive-spore/hive"
)

// thumbnail returns what an image is made, which must be a PNG.
func (s *skill) thumbnail(t testing.TB, size int, data []byte) image.Image {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(s.answer(t, append(fmt.Appendf(nil, "{\"size\":%d}\n", size), data...))))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// same compares all pixels, whose parts may be as far apart as off.
func same(t testing.TB, got, want image.Image, off int) {
	t.Helper()
	if got.Bounds() != want.Bounds() {
		t.Fatalf("is %v, want %v", got.Bounds(), want.Bounds())
	}
	b, wrong := want.Bounds(), 0
	for y := range b.Dy() {
		for x := range b.Dx() {
			a, b := pixel(got, x, y), pixel(want, x, y)
			if max(abs(int(a.R)-int(b.R)), abs(int(a.G)-int(b.G)), abs(int(a.B)-int(b.B)), abs(int(a.A)-int(b.A))) > off {
				if wrong++; wrong == 1 {
					t.Errorf("at %d, %d of %v: %v, want %v", x, y, want.Bounds().Max, a, b)
				}
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d pixels differ", wrong)
	}
}

// TestThumbnailPNG: an image that is small enough stays as it is, of every kind that
// PNG has.
func TestThumbnailPNG(t *testing.T) {
	s := open(t, "thumbnail")
	random := rand.New(rand.NewPCG(1, 2))
	for _, k := range kindsOfPNG() {
		for range 8 {
			data := encodePNG(random, k, 1+random.IntN(40), 1+random.IntN(40))
			want, err := png.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatalf("%+v: %v", k, err)
			}
			same(t, s.thumbnail(t, 64, data), want, 0)
			if t.Failed() {
				t.Fatalf("of %+v", k)
			}
		}
	}
}

// picture is one that compresses as photographs do, with noise and a hole.
func picture(w, h int, seed uint64) *image.NRGBA {
	random := rand.New(rand.NewPCG(seed, 0))
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	fx, fy := random.Float64()/9, random.Float64()/9
	for i := range w * h {
		x, y := float64(i%w), float64(i/w)
		c := color.NRGBA{uint8(127 + 120*math.Sin(x*fx+y*fy)), uint8(127 + 120*math.Cos(y*fy)), uint8(random.IntN(30) + 80), 255}
		if math.Hypot(x-y, y-20) < 15 {
			c.A = uint8(random.IntN(256))
		}
		m.SetNRGBA(i%w, i/w, c)
	}
	return m
}

// mean is what a thumbnail is to be: light averaged over areas, in floating point.
func mean(m image.Image, w, h int) image.Image {
	from := m.Bounds()
	to := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		left, right := float64(i%w)*float64(from.Dx())/float64(w), float64(i%w+1)*float64(from.Dx())/float64(w)
		top, bottom := float64(i/w)*float64(from.Dy())/float64(h), float64(i/w+1)*float64(from.Dy())/float64(h)
		var sum [4]float64
		for y := int(top); y < min(int(math.Ceil(bottom)), from.Dy()); y++ {
			for x := int(left); x < min(int(math.Ceil(right)), from.Dx()); x++ {
				area := (min(right, float64(x+1)) - max(left, float64(x))) * (min(bottom, float64(y+1)) - max(top, float64(y)))
				p := pixel(m, x, y)
				alpha := float64(p.A) / 255 * area
				for c, v := range []uint8{p.R, p.G, p.B} {
					sum[c] += light(float64(v)/255) * alpha
				}
				sum[3] += alpha
			}
		}
		alpha := sum[3] / ((right - left) * (bottom - top))
		if alpha*255 < 0.5 {
			continue
		}
		of := func(c int) uint8 { return uint8(math.Round(255 * srgb(sum[c]/sum[3]))) }
		to.SetNRGBA(i%w, i/w, color.NRGBA{of(0), of(1), of(2), uint8(math.Round(255 * alpha))})
	}
	return to
}

func light(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func srgb(v float64) float64 {
	if v <= 0.0031308 {
		return v * 12.92
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

// TestThumbnailScales: what gets smaller is the mean of what it was.
func TestThumbnailScales(t *testing.T) {
	s := open(t, "thumbnail")
	for i, tt := range []struct{ w, h, size, toW, toH int }{
		{100, 100, 50, 50, 50}, {100, 100, 33, 33, 33}, {99, 41, 98, 98, 41}, {300, 7, 64, 64, 1}, {3, 500, 100, 1, 100},
		{65, 64, 64, 64, 63}, {200, 150, 1, 1, 1}, {101, 67, 100, 100, 66}, {640, 480, 256, 256, 192},
	} {
		m := picture(tt.w, tt.h, uint64(i))
		var data bytes.Buffer
		if err := png.Encode(&data, m); err != nil {
			t.Fatal(err)
		}
		same(t, s.thumbnail(t, tt.size, data.Bytes()), mean(m, tt.toW, tt.toH), 1)
	}
}

// kindsOfJPEG are baseline and progressive ones of all usual samplings and colours.
func kindsOfJPEG() (kinds []kindOfJPEG) {
	one := [2]int{1, 1}
	for _, first := range [][2]int{{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {4, 2}} {
		for i := range 4 {
			k := kindOfJPEG{sampling: [][2]int{first, one, one}, progressive: i&1 == 1, adobe: -1}
			if i&2 == 2 {
				k.restart = 5
			}
			kinds = append(kinds, k)
		}
	}
	for _, progressive := range []bool{false, true} {
		kinds = append(kinds,
			kindOfJPEG{sampling: [][2]int{one}, progressive: progressive, adobe: -1},
			kindOfJPEG{sampling: [][2]int{{2, 2}}, progressive: progressive, adobe: -1, restart: 3},
			kindOfJPEG{sampling: [][2]int{one, one, one}, progressive: progressive, adobe: 0},
			kindOfJPEG{sampling: [][2]int{one, one, one}, progressive: progressive, adobe: 1},
			kindOfJPEG{sampling: [][2]int{one, one, one}, progressive: progressive, adobe: -1, ids: "RGB"},
			kindOfJPEG{sampling: [][2]int{one, one, one, one}, progressive: progressive, adobe: 0},
			kindOfJPEG{sampling: [][2]int{one, one, one, one}, progressive: progressive, adobe: 2},
			kindOfJPEG{sampling: [][2]int{{2, 2}, one, one, {2, 2}}, progressive: progressive, adobe: 2})
	}
	return kinds
}

// waves are samples that have all frequencies.
func waves(random *rand.Rand) func(c, x, y int) float64 {
	f := [4][3]float64{}
	for c := range f {
		f[c] = [3]float64{random.Float64() / 4, random.Float64() / 4, random.Float64() * 9}
	}
	return func(c, x, y int) float64 {
		return 128 + 70*math.Sin(float64(x)*f[c][0]+float64(y)*f[c][1]+f[c][2]) + float64((x*7+y*13+c)%41)
	}
}

// TestThumbnailJPEG compares with Go's decoder, of what Go encodes and of what it does not.
func TestThumbnailJPEG(t *testing.T) {
	s := open(t, "thumbnail")
	random := rand.New(rand.NewPCG(3, 4))
	check := func(what string, data []byte) {
		t.Helper()
		want, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		same(t, s.thumbnail(t, 128, data), want, 5) // Go rounds twice on the way
		if t.Failed() {
			t.Fatal("of " + what)
		}
	}
	for _, k := range kindsOfJPEG() {
		for range 4 {
			w, h, sample := 1+random.IntN(70), 1+random.IntN(70), waves(random)
			data := encodeJPEG(k, w, h, sample)
			if k.restart == 0 {
				check(fmt.Sprintf("%+v", k), data)
				continue
			}
			k := k // whose restarts Go does not find in all kinds: it is as without them
			k.restart = 0
			same(t, s.thumbnail(t, 128, data), s.thumbnail(t, 128, encodeJPEG(k, w, h, sample)), 0)
		}
	}
	for i := range 10 {
		m := picture(1+random.IntN(120), 1+random.IntN(120), uint64(i))
		grey := image.NewGray(m.Bounds())
		for j := range grey.Pix {
			grey.Pix[j] = m.Pix[4*j]
		}
		for _, m := range []image.Image{m, grey} {
			var data bytes.Buffer
			if err := jpeg.Encode(&data, m, &jpeg.Options{Quality: 1 + random.IntN(100)}); err != nil {
				t.Fatal(err)
			}
			check("Go's encoder", data.Bytes())
		}
	}
}

// exif is a part of a JPEG that says how the camera was held.
func exif(order binary.AppendByteOrder, orientation byte) []byte {
	body := []byte("Exif\x00\x00II*\x00")
	if order.AppendUint16(nil, 1)[0] == 0 {
		body = []byte("Exif\x00\x00MM\x00*")
	}
	body = order.AppendUint16(order.AppendUint32(body, 8), 2)
	for tag, value := range map[uint16]uint16{0x0100: 7, 0x0112: uint16(orientation)} {
		body = order.AppendUint16(order.AppendUint32(order.AppendUint16(order.AppendUint16(body, tag), 3), 1), value)
		body = append(body, 0, 0)
	}
	return append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2)), body...)
}

// TestThumbnailTurns: a photograph stands as it was seen.
func TestThumbnailTurns(t *testing.T) {
	s := open(t, "thumbnail")
	data := encodeJPEG(kindOfJPEG{sampling: [][2]int{{1, 1}}, adobe: -1}, 24, 16, func(_, x, y int) float64 { return float64(x*5 + y*8) })
	plain := s.thumbnail(t, 64, data)
	for orientation, from := range map[byte]func(x, y int) (int, int){
		0: func(x, y int) (int, int) { return x, y },
		1: func(x, y int) (int, int) { return x, y },
		2: func(x, y int) (int, int) { return 23 - x, y },
		3: func(x, y int) (int, int) { return 23 - x, 15 - y },
		4: func(x, y int) (int, int) { return x, 15 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, 15 - x },
		7: func(x, y int) (int, int) { return 23 - y, 15 - x },
		8: func(x, y int) (int, int) { return 23 - y, x },
	} {
		want := image.NewNRGBA(image.Rect(0, 0, 24, 16))
		if orientation > 4 {
			want = image.NewNRGBA(image.Rect(0, 0, 16, 24))
		}
		for i := range 24 * 16 {
			x, y := i%want.Rect.Dx(), i/want.Rect.Dx()
			sx, sy := from(x, y)
			want.SetNRGBA(x, y, pixel(plain, sx, sy))
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			same(t, s.thumbnail(t, 64, slices.Concat(data[:2], exif(order, orientation), data[2:])), want, 0)
		}
	}
}

// TestThumbnailIsSmall: a result is about as small as Go's encoder makes it.
func TestThumbnailIsSmall(t *testing.T) {
	s := open(t, "thumbnail")
	flat := image.NewNRGBA(image.Rect(0, 0, 200, 200))
	for i := range flat.Pix {
		flat.Pix[i] = []byte{9, 99, 199, 255}[i%4] + byte(i/8000)*byte(i%4/3^1)
	}
	for i, m := range []image.Image{picture(256, 256, 1), picture(90, 50, 2), flat} {
		var data, best bytes.Buffer
		small := png.Encoder{CompressionLevel: png.BestCompression}
		if err := png.Encode(&data, m); err != nil {
			t.Fatal(err)
		}
		got := s.answer(t, data.Bytes())
		decoded, err := png.Decode(bytes.NewReader(got))
		if err != nil {
			t.Fatal(err)
		}
		if err := small.Encode(&best, decoded); err != nil {
			t.Fatal(err)
		}
		if len(got) > best.Len()*21/20+150 {
			t.Errorf("%d: %d bytes, Go needs %d", i, len(got), best.Len())
		}
	}
}

// header is the beginning of a PNG of this size.
func headerOfPNG(w, h uint32, rest ...byte) chunkOfPNG {
	return chunkOfPNG{"IHDR", append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h), rest...)}
}

// zeros is a compressed part of a PNG, of so many of them: literals, and matches of 258
// with the byte before, in the fixed codes of deflate.
func zeros(n int) chunkOfPNG {
	out, bits, count := []byte{0x78, 0x01}, uint64(0), 0
	put := func(code string) { // its first bit first
		for _, bit := range code {
			bits |= uint64(bit-'0') << count
			if count++; count == 8 {
				out, bits, count = append(out, byte(bits)), 0, 0
			}
		}
	}
	put("110") // the last block
	for range 1 + (n-1)%258 {
		put("00110000")
	}
	for range (n - 1) / 258 {
		put("1100010100000")
	}
	for put("0000000"); count > 0; put("0") { // the end, and what fills a byte
	}
	return chunkOfPNG{"IDAT", binary.BigEndian.AppendUint32(out, uint32(n%65521)<<16|1)}
}

// TestThumbnailLarge: the largest images have a thumbnail, and larger ones are refused
// by what their header says.
func TestThumbnailLarge(t *testing.T) {
	s := open(t, "thumbnail")
	end := chunkOfPNG{"IEND", nil}
	largest := joinPNG(headerOfPNG(5000, 5000, 16, 6, 0, 0, 1), zeros(5000*5000*8+5000*15/8), end)
	if m := s.thumbnail(t, 100, largest); m.Bounds().Dx() != 100 {
		t.Errorf("is %v", m.Bounds())
	}
	grey := kindOfJPEG{sampling: [][2]int{{1, 1}, {1, 1}, {1, 1}, {1, 1}}, progressive: true, adobe: 0}
	data := encodeJPEG(grey, 8, 8, func(int, int, int) float64 { return 128 })
	at := bytes.Index(data, []byte{0xff, 0xc2}) + 5
	binary.BigEndian.PutUint16(data[at:], 5000)
	binary.BigEndian.PutUint16(data[at+2:], 5000)
	s.refuses(t, data, "JPEG: it is cut short")
	binary.BigEndian.PutUint16(data[at:], 5001)
	s.refuses(t, data, "JPEG: it has more than 25 megapixels")
	s.refuses(t, joinPNG(headerOfPNG(5001, 5000, 8, 2, 0, 0, 0), end), "PNG: it has more than 25 megapixels")
	s.refuses(t, joinPNG(headerOfPNG(1<<31, 1<<31, 8, 2, 0, 0, 0), end), "PNG: ")
	s.refuses(t, joinPNG(headerOfPNG(100_000, 1, 8, 2, 0, 0, 0), end), "PNG: a side of it has more than 65,535 pixels")
	s.refuses(t, joinPNG(headerOfPNG(10, 10, 8, 0, 0, 0, 0), zeros(1<<28), end), "PNG: it has more pixels than its size says")
}

func TestThumbnailRefuses(t *testing.T) {
	s := open(t, "thumbnail")
	whole := joinPNG(headerOfPNG(1, 1, 8, 0, 0, 0, 0), zeros(2), chunkOfPNG{"IEND", nil})
	for payload, want := range map[string]string{
		"":                                       "the payload is neither PNG nor JPEG",
		"GIF89a":                                 "the payload is neither PNG nor JPEG",
		"{\"size\":9}":                           "no line ends behind the options",
		"{\"size\":0}\n":                         "options: want {\"size\":N}, N from 1 to 1024",
		"{\"size\":1025}\n":                      "options: want",
		"{\"size\":9,\"a\":1}\n":                 "options: want",
		"{\"size\":9}\nhello":                    "the payload is neither",
		"{\"size\":9}\n" + string(whole[:8]):     "PNG: it is cut short",
		string(joinPNG(chunkOfPNG{"IDAT", nil})): "PNG: it does not begin with its size",
		string(joinPNG(headerOfPNG(1, 1, 8, 0, 0, 0))):                                                  "PNG: its header is damaged",
		string(joinPNG(headerOfPNG(0, 1, 8, 0, 0, 0, 0))):                                               "PNG: it has no pixels",
		string(joinPNG(headerOfPNG(1, 1, 4, 2, 0, 0, 0))):                                               "PNG: it is of a kind that PNG does not have",
		string(joinPNG(headerOfPNG(1, 1, 8, 0, 0, 0, 2))):                                               "PNG: it is interlaced in a way",
		string(joinPNG(headerOfPNG(1, 1, 8, 3, 0, 0, 0), zeros(2), chunkOfPNG{"IEND", nil})):            "PNG: its palette is missing",
		string(joinPNG(headerOfPNG(1, 1, 8, 0, 0, 0, 0), zeros(1), chunkOfPNG{"IEND", nil})):            "PNG: it has fewer pixels",
		string(joinPNG(headerOfPNG(1, 1, 8, 0, 0, 0, 0), zeros(3), chunkOfPNG{"IEND", nil})):            "PNG: it has more pixels",
		string(joinPNG(headerOfPNG(1, 1, 8, 0, 0, 0, 0), chunkOfPNG{"NEED", nil})):                      "PNG: it has a part that is not known",
		string(bytes.Replace(whole, []byte("IHDR\x00\x00\x00\x01"), []byte("IHDR\x00\x00\x00\x02"), 1)): "PNG: it is damaged: wrong checksum",
		"\xff\xd8\xff":                         "JPEG: it is cut short",
		"\xff\xd8\xff\xd9":                     "JPEG: some of its colours are missing",
		"\xff\xd8\xff\xc9\x00\x02\xff\xd9":     "JPEG: it is of a kind other than baseline and progressive",
		"\xff\xd8\xff\xc4\x00\x03\x77\xff\xd9": "JPEG: a code of it is damaged",
	} {
		s.refuses(t, []byte(payload), want)
	}
	loud := image.NewNRGBA(image.Rect(0, 0, 700, 700))
	rand.NewChaCha8([32]byte{}).Read(loud.Pix)
	var data bytes.Buffer
	if err := png.Encode(&data, loud); err != nil {
		t.Fatal(err)
	}
	s.refuses(t, append([]byte("{\"size\":700}\n"), data.Bytes()...), "more than 1 MiB: ask for a smaller size")
}

// samples are images of all kinds, small ones.
func samples() (all [][]byte) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, k := range kindsOfPNG() {
		all = append(all, encodePNG(random, k, 9, 7))
	}
	for _, k := range kindsOfJPEG() {
		all = append(all, encodeJPEG(k, 19, 21, waves(random)))
	}
	return all
}

// survives checks that an image has a thumbnail or is refused in words.
func (s *skill) survives(t testing.TB, data []byte) *hive.Failure {
	t.Helper()
	out := s.call(t, data)
	if f := out.Failure; f != nil {
		if f.Kind != hive.FailSkill || !f.Permanent || f.Message == "" || !utf8.ValidString(f.Message) {
			t.Errorf("of %x, the failure is %v", data, f)
		}
	} else if _, err := png.Decode(bytes.NewReader(out.Result)); err != nil {
		t.Errorf("of %x, the result is no PNG: %v", data, err)
	}
	return out.Failure
}

// TestThumbnailCut: of an image that is cut short there is no thumbnail.
func TestThumbnailCut(t *testing.T) {
	s := open(t, "thumbnail")
	for i, data := range samples() {
		for n := i % 7; n < len(data)-1; n += 7 {
			if s.survives(t, data[:n]) == nil {
				t.Errorf("image %d has a thumbnail of its first %d of %d bytes", i, n, len(data))
			}
		}
	}
}

// TestThumbnailDamaged changes bytes anywhere in images.
func TestThumbnailDamaged(t *testing.T) {
	s := open(t, "thumbnail")
	random := rand.New(rand.NewPCG(7, 8))
	images := samples()
	for range 3000 {
		data := slices.Clone(images[random.IntN(len(images))])
		for range 1 + random.IntN(4) {
			at := random.IntN(len(data))
			switch random.IntN(4) {
			case 0:
				data[at] ^= 1 << random.IntN(8)
			case 1:
				data[at] = byte(random.IntN(256))
			case 2:
				data = slices.Delete(data, at, min(at+random.IntN(9), len(data)-1))
			default:
				data = slices.Insert(data, at, data[at:min(at+random.IntN(20), len(data))]...)
			}
		}
		if data[0] == 0x89 {
			repairPNG(data)
		}
		s.survives(t, data)
	}
}

// FuzzThumbnail: no image takes the skill down.
func FuzzThumbnail(f *testing.F) {
	s := open(f, "thumbnail")
	for _, data := range samples() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte("\x89PNG")) {
			data = slices.Clone(data)
			repairPNG(data)
		}
		s.survives(t, data)
	})
}
