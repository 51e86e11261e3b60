package hostfuncs

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"regexp"
	"strings"

	"github.com/hive-spore/hive"
)

// A recording is what an attempt was told by its host: the readings of clocks,
// random bytes, sleeps, and the answers of functions, in their order.
//
//	recording  version '1', flags, uvarint attempt, 8 bytes of the manifest's digest,
//	           then entries; with flag 2 packed by deflate
//	entry      kind, then
//	           reading of a clock: varint, the difference to the one before
//	           sleep:              varint, ns
//	           random bytes:       text
//	           call:               name text, arguments text, u32 sum of all bytes
//	                               of them, varint number, answer text
//	text       uvarint length, bytes
//	arguments  per parameter: 'N' varint, or 'B' text of which only the begin is kept
//
// Secrets are not in it: see maskAnswer.

// Kinds of entries.
const (
	toldRealtime = iota
	toldMonotonic
	toldSleep
	toldRandom
	toldCall
	toldKinds // how many there are
)

const (
	recordingVersion = '1'
	maxArgument      = 64  // bytes of an argument that are kept, for people to see
	packFrom         = 256 // bytes of entries: fewer are not worth it
)

// Flags of a recording.
const (
	flagCut    = 1 // there was more, see Attempt.Record
	flagPacked = 2
)

// tape is the recording of a running attempt.
type tape struct {
	entries []byte
	small   [96]byte // entries as long as they are few: most attempts ask for little
	last    [toldMonotonic + 1]int64
	cut     bool
}

// add appends an entry in pieces, or nothing more from the first on that does not
// fit.
func (t *tape) add(limit int, pieces ...[]byte) {
	n := 0
	for _, p := range pieces {
		n += len(p)
	}
	if t.cut = t.cut || len(t.entries)+n > limit; t.cut {
		return
	}
	if t.entries == nil {
		t.entries = t.small[:0]
	}
	for _, p := range pieces {
		t.entries = append(t.entries, p...)
	}
}

// number records the reading of a clock or a sleep.
func (t *tape) number(limit int, kind byte, n int64) {
	if limit == 0 {
		return
	}
	if int(kind) < len(t.last) {
		t.last[kind], n = n, n-t.last[kind]
	}
	var b [1 + binary.MaxVarintLen64]byte
	b[0] = kind
	t.add(limit, b[:1+binary.PutVarint(b[1:], n)])
}

func (t *tape) random(limit int, p []byte) {
	if limit > 0 {
		t.add(limit, binary.AppendUvarint([]byte{toldRandom}, uint64(len(p))), p)
	}
}

// tell calls a function whose answers are recorded, or answers as was recorded.
// Its parameters are those that valueTypes reads.
func (c *call) tell(name, params string, function func(*call) int32) int32 {
	if c.Replay == nil && c.Record == 0 {
		return function(c)
	}
	var args arguments
	at := 0
	for _, letter := range params {
		switch letter {
		case 'B':
			b, _ := c.view(at)
			if name == "http" && at == 0 {
				b = withoutCredentials(b)
			}
			args.bytes(c.mask(b))
			at += 2
		case 'I':
			args.number(int64(int32(c.params[at])))
			at++
		default:
			args.number(int64(c.params[at]))
			at++
		}
	}
	return c.recorded(name, args, function)
}

// recorded is tell, with the arguments read.
func (c *call) recorded(name string, args arguments, function func(*call) int32) int32 {
	if c.Replay != nil {
		n, answer := c.Replay.call(name, args)
		if name == "secret" && n >= 0 {
			c.readSecret(string(answer)) // what is said of it is to be as it was
		}
		c.answer = answer
		return n
	}
	n := function(c)
	// What comes after the attempt's end is not what it ended with.
	if c.Record > 0 && c.ctx.Err() == nil {
		answer := c.maskAnswer(name, n, c.answer)
		b := appendText([]byte{toldCall}, []byte(name))
		b = appendText(b, args.text)
		b = binary.BigEndian.AppendUint32(b, args.sum)
		b = binary.AppendVarint(b, int64(n))
		c.tape.add(c.Record, binary.AppendUvarint(b, uint64(len(answer))), answer)
	}
	return n
}

// credentials are headers whose values are nobody's business, nor what a guest makes
// of a secret for them.
var credentials = regexp.MustCompile(`(?im)^((?:proxy-)?authorization|cookie|x-api-key|x-auth-token)(:[ \t]*)(.*)$`)

// withoutCredentials returns the head of a request as it is recorded.
func withoutCredentials(head []byte) []byte {
	return credentials.ReplaceAll(head, []byte("$1$2"+redacted))
}

// arguments are those of a call.
type arguments struct {
	text []byte // the begin of each
	sum  uint32 // over all of them
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (a *arguments) bytes(b []byte) {
	a.sum = crc32.Update(a.sum, castagnoli, b)
	a.text = appendText(append(a.text, 'B'), b[:min(len(b), maxArgument)])
}

func (a *arguments) number(n int64) { a.text = binary.AppendVarint(append(a.text, 'N'), n) }

func appendText(b, text []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// maskAnswer returns an answer as it is recorded: a secret is as long as it was,
// and nothing else about it is told.
func (a *Attempt) maskAnswer(name string, n int32, answer []byte) []byte {
	if name == "secret" && n >= 0 {
		return bytes.Repeat([]byte{masked}, len(answer))
	}
	return a.mask(answer)
}

// masked stands for each byte of a secret.
const masked = 'x'

// mask returns b with each secret that the attempt has read masked, as Redact
// finds them.
func (a *Attempt) mask(b []byte) []byte {
	for _, secret := range a.secrets.values {
		b = bytes.ReplaceAll(b, []byte(secret), []byte(strings.Repeat(string(masked), len(secret))))
	}
	return b
}

// Recording returns what the attempt was told, for a program of this manifest;
// nil if that was not recorded.
func (a *Attempt) Recording(m *hive.Manifest) []byte {
	if a.Record == 0 {
		return nil
	}
	b := []byte{recordingVersion, 0}
	if a.tape.cut {
		b[1] |= flagCut
	}
	b = binary.AppendUvarint(b, uint64(a.Task.Attempt))
	digest := manifestDigest(m)
	b = append(b, digest[:]...)
	if len(a.tape.entries) < packFrom {
		return append(b, a.tape.entries...)
	}
	b[1] |= flagPacked
	packed := bytes.NewBuffer(b)
	w, _ := flate.NewWriter(packed, flate.BestSpeed) // the level is one
	_, _ = w.Write(a.tape.entries)                   // a buffer takes everything
	_ = w.Close()
	return packed.Bytes()
}

// manifestDigest tells manifests apart: the same program may have had another.
func manifestDigest(m *hive.Manifest) (digest [8]byte) {
	text, _ := json.Marshal(m) // it came out of JSON
	sum := sha256.Sum256(text)
	copy(digest[:], sum[:])
	return digest
}
