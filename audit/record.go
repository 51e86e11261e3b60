// Package audit keeps a tamper-evident record of security events: an append-only
// log whose records each hold the hash of the one before.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/hive-spore/hive"
)

// Bounds of an entry, in bytes of its texts as they are given. Longer texts are
// clipped; more fields, and names that are not, are refused.
const (
	maxName   = 64
	maxActor  = 256 // and of a subject
	maxText   = 1 << 10
	maxFields = 16
)

// MaxLine bounds one line of the log in bytes, its newline included. No entry is
// longer: a byte of text takes at most six.
const MaxLine = 128 << 10

// Outcome is how what an entry tells of ended.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Refused Outcome = "refused"
	Failed  Outcome = "failed"
)

// Entry is what is told of one event. Its texts may be hostile: the log escapes
// what is not printable ASCII, and so must whoever prints what is read back.
type Entry struct {
	Actor   string            `json:"actor"`             // who: a spore, a nexus, a publisher
	Action  string            `json:"action"`            // what: words of a-z, 0-9 and '_' with dots between, "bundle.publish"
	Subject string            `json:"subject,omitempty"` // to what
	Outcome Outcome           `json:"outcome"`
	Reason  string            `json:"reason,omitempty"` // a reason code and what it was about
	Fields  map[string]string `json:"fields,omitempty"` // names as an action's; at most 16
}

// Record is an entry in its place. The log holds one line of JSON for each.
type Record struct {
	Seq  int64     `json:"seq"`  // 1 is the first
	Time time.Time `json:"time"` // UTC, whole milliseconds
	Entry
	Prev string `json:"prev"` // SHA-256 of the line before without its newline, in hex; of the first: zeros
}

// origin stands where the first record would name the one before it.
var origin = strings.Repeat("0", 2*sha256.Size)

var (
	name   = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)
	hexSum = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func hashOf(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// check reports an entry that cannot be kept.
func (e *Entry) check() error {
	switch {
	case !isName(e.Action):
		return fmt.Errorf("action %.80q: want at most %d of a-z, 0-9 and '_' with dots between, such as bundle.publish", e.Action, maxName)
	case e.Outcome != OK && e.Outcome != Refused && e.Outcome != Failed:
		return fmt.Errorf("outcome %.80q: want %s, %s or %s", e.Outcome, OK, Refused, Failed)
	case len(e.Fields) > maxFields:
		return fmt.Errorf("%d fields: at most %d allowed", len(e.Fields), maxFields)
	}
	for key := range e.Fields {
		if !isName(key) {
			return fmt.Errorf("field %.80q: want at most %d of a-z, 0-9 and '_' with dots between", key, maxName)
		}
	}
	return nil
}

func isName(s string) bool { return len(s) <= maxName && name.MatchString(s) }

// clipped returns the entry with its texts within their bounds.
func (e Entry) clipped() Entry {
	e.Actor, e.Subject = hive.Clip(e.Actor, maxActor), hive.Clip(e.Subject, maxActor)
	e.Reason = hive.Clip(e.Reason, maxText)
	e.Fields = maps.Clone(e.Fields)
	for key, value := range e.Fields {
		e.Fields[key] = hive.Clip(value, maxText)
	}
	return e
}

// Line returns the record as it stands in the log: JSON in printable ASCII.
func (r *Record) Line() ([]byte, error) { return r.encode() }

// encode returns the record's line without its newline: printable ASCII.
func (r *Record) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return nil, err
	}
	return escape(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// escape writes what is not printable ASCII as JSON's \uXXXX. It stands in strings
// only, and JSON has escaped what is below 0x20 already.
func escape(line []byte) []byte {
	if bytes.IndexFunc(line, unprintable) < 0 {
		return line
	}
	out := make([]byte, 0, 2*len(line))
	for len(line) > 0 {
		r, n := utf8.DecodeRune(line)
		if line = line[n:]; !unprintable(r) {
			out = append(out, byte(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
}

func unprintable(r rune) bool { return r >= 0x7f }

// decode reads a line without its newline. It refuses whatever encode would not
// have written: so there is one spelling of each record.
func decode(line []byte) (r Record, err error) {
	if err := json.Unmarshal(line, &r); err != nil {
		return r, errors.New("not a record")
	}
	if err := r.check(); err != nil {
		return r, fmt.Errorf("not a record: %w", err)
	}
	again, err := r.encode()
	if err != nil || !bytes.Equal(again, line) || r.Seq < 1 || !hexSum.MatchString(r.Prev) {
		return r, errors.New("not a record as the log writes it")
	}
	return r, nil
}

// The ends of a line, which say its place: {"seq":N,…,"prev":"HASH"}.
var (
	lineHead = []byte(`{"seq":`)
	lineTail = []byte(`,"prev":"`)
)

// place reads a line's number and the hash of the line before, and nothing else.
func place(line []byte) (seq int64, prev string, ok bool) {
	at := len(line) - len(origin) - len(`"}`)
	seq, ok = seqOf(line)
	if !ok || at < 0 || !bytes.HasSuffix(line[:at], lineTail) || string(line[len(line)-2:]) != `"}` {
		return 0, "", false
	}
	return seq, string(line[at : len(line)-2]), true
}

// seqOf reads the number that a line, or the beginning of one, begins with.
func seqOf(line []byte) (seq int64, ok bool) {
	digits, ok := bytes.CutPrefix(line, lineHead)
	n := bytes.IndexByte(digits, ',')
	if !ok || n < 1 || n > 18 || digits[0] == '0' {
		return 0, false
	}
	for _, c := range digits[:n] {
		if c < '0' || c > '9' {
			return 0, false
		}
		seq = 10*seq + int64(c-'0')
	}
	return seq, true
}
