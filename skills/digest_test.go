package skills_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

type digest struct {
	Type    string
	Bytes   int
	Entropy float64
	SHA256  string
	SHA1    string
	CRC32   string
}

func readDigest(t testing.TB, s *skill, data []byte) digest {
	t.Helper()
	var d digest
	if err := json.Unmarshal(s.answer(t, data), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// entropy is the textbook's: what a byte tells on average, in bits.
func entropy(data []byte) float64 {
	var bits float64
	for c := range 256 {
		if n := bytes.Count(data, []byte{byte(c)}); n > 0 {
			bits += float64(n) / float64(len(data)) * math.Log2(float64(len(data))/float64(n))
		}
	}
	return bits
}

// checkDigest compares a digest with what Go's library says.
func checkDigest(t testing.TB, got digest, data []byte) {
	t.Helper()
	want := digest{got.Type, len(data), got.Entropy, fmt.Sprintf("%x", sha256.Sum256(data)), fmt.Sprintf("%x", sha1.Sum(data)),
		fmt.Sprintf("%08x", crc32.ChecksumIEEE(data))}
	if got != want {
		t.Errorf("of %d bytes: %+v, want %+v", len(data), got, want)
	}
	if off := math.Abs(got.Entropy - entropy(data)); off > 0.0001 {
		t.Errorf("of %d bytes, entropy is %v, want %v", len(data), got.Entropy, entropy(data))
	}
}

// TestDigest tries all lengths around the blocks of the hashes, and the longest.
func TestDigest(t *testing.T) {
	s := open(t, "digest")
	random := rand.NewChaCha8([32]byte{})
	for n := range 200 {
		data := make([]byte, n)
		random.Read(data)
		checkDigest(t, readDigest(t, s, data), data)
	}
	for _, data := range [][]byte{make([]byte, 1<<20), bytes.Repeat([]byte("abcd"), 1<<18-1)} {
		checkDigest(t, readDigest(t, s, data), data)
	}
}

func TestDigestTypes(t *testing.T) {
	s := open(t, "digest")
	for data, want := range map[string]string{
		"":                                    "text/plain; charset=utf-8",
		"BM and MZ begin texts too, żółw":     "text/plain; charset=utf-8",
		"\x1b[31mred\x1b[0m\n":                "text/plain; charset=utf-8",
		"a\x00b":                              "application/octet-stream",
		"\x8a\x00":                            "application/octet-stream",
		"\ufeff\n <!DOCTYPE HTML><p>":         "text/html; charset=utf-8",
		"<html lang=en>":                      "text/html; charset=utf-8",
		"<?xml version='1.0'?><a/>":           "text/xml; charset=utf-8",
		"<svg xmlns='…'/>":                    "image/svg+xml",
		"\xff\xfea\x00":                       "text/plain; charset=utf-16le",
		"%PDF-1.7\n":                          "application/pdf",
		"%PDF-1.7\n\xe2\xe3":                  "application/pdf",
		"\x89PNG\r\n\x1a\n\x00":               "image/png",
		"\x89PNG\r\n":                         "application/octet-stream", // cut
		"\xff\xd8\xff\xe0":                    "image/jpeg",
		"GIF89a\x01\x00":                      "image/gif",
		"RIFF\x10\x00\x00\x00WEBPVP8L":        "image/webp",
		"RIFF\x10\x00\x00\x00WAVEfmt ":        "audio/wav",
		"\x00\x00\x00\x18ftypmp42":            "video/mp4",
		"\x00\x00\x00\x18ftypavif":            "image/avif",
		"PK\x03\x04\x14":                      "application/zip",
		"\x1f\x8b\x08\x00":                    "application/gzip",
		"\x00asm\x01\x00\x00\x00":             "application/wasm",
		"\x7fELF\x02":                         "application/x-elf",
		"MZ\x90\x00":                          "application/vnd.microsoft.portable-executable",
		"SQLite format 3\x00\x10":             "application/vnd.sqlite3",
		"SQLite format 3\x01":                 "application/octet-stream",
		strings.Repeat("\x00", 257) + "ustar": "application/x-tar",
		strings.Repeat("\x00", 257) + "usta":  "application/octet-stream",
		// What is no UTF-8: cut, overlong, half a surrogate pair, too large.
		"a\xc5":            "application/octet-stream",
		"\xc0\xaf":         "application/octet-stream",
		"\xe0\x80\xaf":     "application/octet-stream",
		"\xed\xa0\x80":     "application/octet-stream",
		"\xf4\x90\x80\x80": "application/octet-stream",
		"\xf0\x8f\x80\x80": "application/octet-stream",
		"\xf4\x8f\xbf\xbf": "text/plain; charset=utf-8",
	} {
		if got := readDigest(t, s, []byte(data)).Type; got != want {
			t.Errorf("of %q, type is %q, want %q", data, got, want)
		}
	}
}

// FuzzDigest: whatever the bytes are, they have a digest.
func FuzzDigest(f *testing.F) {
	s := open(f, "digest")
	f.Add([]byte("\xff\xfea"))
	f.Fuzz(func(t *testing.T, data []byte) { checkDigest(t, readDigest(t, s, data), data) })
}
