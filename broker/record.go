package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// A record is one packed string per task:
//
//	offset  bytes  what
//	0       1      version, '1'
//	1       1      state: s b p r c f x
//	2       1      priority
//	3       1      flags: 1 somebody waits, 2 a tombstone that still stands in a queue,
//	               4 the attempt took over from one whose effects conflicted, 8 the last
//	               of the task fields is the inbox of who enqueued it, 16 others of them
//	               bind it: a deadline, how long it is kept, a unique key
//	4       4      attempt, the fence
//	8       2      failures
//	10      2      failures it survives
//	12      6      created, Unix ms
//	18      6      last attempt started
//	24      6      finished; for a scheduled task: due
//	30      24     spore of the last attempt, NUL padded
//	54      4      length of the task fields
//	58      4      length of the payload
//	62      4      length of the outcome fields
//	66      …      task fields, payload, outcome fields, result
//
// A field is one byte tag, three bytes length, value. Numbers are big-endian.
// Unknown tags are kept by every script and ignored here.
const (
	recordVersion = '1'
	headLen       = 66
	createdAt     = 12
	dueAt         = 24
	receiptLen    = 36
	backoffLen    = 14
	blobLen       = 70
	nameLen       = 24 // of a spore or an inbox, NUL padded
	flagQueued    = 2
	flagAddressed = 8
	flagBound     = 16
)

// Tags of task fields. The class comes first: scripts read it there.
const (
	tagClass   = 1
	tagSkill   = 2 // this, the next two and tagKey only where the class is hashed
	tagRequire = 3
	tagTenant  = 4
	tagTimeout = 5 // ms
	tagInbox   = 6 // of who enqueued the task and waits for it; always last: scripts read it there
	tagKey     = 12
	tagBackoff = 9 // base and max in ms, six bytes each, and the jitter in hundredths, two

	// Where there is one of these, the record has flagBound, and scripts look for them.
	tagDeadline  = 7  // Unix ms
	tagRetain    = 8  // ms
	tagUnique    = 10 // the key, which it has until it is over
	tagUniqueFor = 11 // for how many ms, six bytes, and the key
	tagPayload   = 13 // the blob that is the payload: 64 hexadecimal digits, bytes in six
)

// Tags of outcome fields.
const (
	tagRan      = 64 // name@version digest of the program that ran
	tagFailure  = 65 // kind NUL '0' or '1' (permanent) message
	tagLog      = 66
	tagElapsed  = 67 // µs
	tagReceipt  = 69
	tagRecorded = 70 // attempt, as decimal text
	tagResult   = 71 // the blob that is the result, as tagPayload; always first: scripts read it there
	// 68 is the mark of a call by hand, which only scripts write and read.
)

var stateLetters = map[byte]hive.State{
	's': hive.Scheduled, 'b': hive.Blocked, 'p': hive.Pending, 'r': hive.Running,
	'c': hive.Completed, 'f': hive.Failed, 'x': hive.Cancelled,
}

// errRecord says that a value under a record's key is not a record this version
// of the hive understands.
var errRecord = errors.New("not a task record of this version")

// packTask writes the record of a new pending task, whose end an inbox is told if it has
// a name. The enqueue script fills in when it was created.
func packTask(t *hive.Task, inbox string) (record []byte, lane string) {
	text, hashed := ClassOf(t).Text()
	fields := appendField(nil, tagClass, text)
	if hashed {
		fields = appendField(fields, tagSkill, t.Skill.String())
		fields = appendField(fields, tagRequire, t.Require.String())
		fields = appendField(fields, tagTenant, t.Tenant)
		if t.Key != "" {
			fields = appendField(fields, tagKey, t.Key)
		}
	}
	fields = appendField(fields, tagTimeout, string(binary.BigEndian.AppendUint32(nil, uint32(t.Timeout.Milliseconds()))))
	plain := len(fields)
	fields = appendBounds(fields, t)
	flags := byte(0)
	if len(fields) > plain {
		flags |= flagBound
	}
	if t.Backoff != (hive.Backoff{}) {
		fields = append(fields, tagBackoff, 0, 0, backoffLen)
		fields = append48(append48(fields, t.Backoff.Base.Milliseconds()), t.Backoff.Max.Milliseconds())
		fields = binary.BigEndian.AppendUint16(fields, uint16(int16(t.Backoff.Jitter*100)))
	}
	if inbox != "" {
		flags |= flagAddressed
		fields = appendField(fields, tagInbox, inbox+strings.Repeat("\x00", nameLen-len(inbox)))
	}

	b := make([]byte, headLen, headLen+len(fields)+len(t.Payload))
	b[0], b[1], b[2], b[3] = recordVersion, 'p', byte(t.Priority), flags
	if !t.RunAt.IsZero() {
		b[1] = 's'
		put48(b[dueAt:], t.RunAt.UnixMilli())
	}
	binary.BigEndian.PutUint16(b[10:], uint16(max(0, t.Retries)))
	binary.BigEndian.PutUint32(b[54:], uint32(len(fields)))
	binary.BigEndian.PutUint32(b[58:], uint32(len(t.Payload)))
	b = append(b, fields...)
	return append(b, t.Payload...), laneName(text, t.Priority)
}

// appendBounds writes the fields that bind a task.
func appendBounds(fields []byte, t *hive.Task) []byte {
	if !t.PayloadBlob.None() {
		fields = appendBlob(fields, tagPayload, t.PayloadBlob)
	}
	if !t.Deadline.IsZero() {
		fields = append48(append(fields, tagDeadline, 0, 0, 6), t.Deadline.UnixMilli())
	}
	if t.Retain > 0 {
		fields = append48(append(fields, tagRetain, 0, 0, 6), t.Retain.Milliseconds())
	}
	switch {
	case t.UniqueFor > 0:
		window := append48(nil, t.UniqueFor.Milliseconds())
		fields = appendField(fields, tagUniqueFor, string(window)+t.Unique)
	case t.Unique != "":
		fields = appendField(fields, tagUnique, t.Unique)
	}
	return fields
}

// packOutcome writes the outcome fields; the result travels beside them.
func packOutcome(o *hive.Outcome) []byte {
	b := make([]byte, 0, 192+min(len(o.Log), hive.MaxLog)) // nearly always enough
	if !o.ResultBlob.None() {
		b = appendBlob(b, tagResult, o.ResultBlob)
	}
	if o.Ran.Name != "" {
		b = appendField(b, tagRan, o.Ran.String()+" "+o.Ran.Digest)
	}
	if f := o.Failure; f != nil {
		permanent := "0"
		if f.Permanent {
			permanent = "1"
		}
		b = appendField(b, tagFailure, string(f.Kind)+"\x00"+permanent+hive.Clip(f.Message, hive.MaxMessage))
	}
	if len(o.Log) > 0 {
		b = appendField(b, tagLog, string(o.Log[:min(len(o.Log), hive.MaxLog)]))
	}
	if o.Recorded > 0 {
		b = appendField(b, tagRecorded, strconv.Itoa(o.Recorded))
	}
	if o.Receipt != (hive.Receipt{}) {
		b = appendReceipt(append(b, tagReceipt, 0, 0, receiptLen), o.Receipt)
	}
	if o.Elapsed > 0 {
		b = append48(append(b, tagElapsed, 0, 0, 6), o.Elapsed.Microseconds())
	}
	return b
}

// appendReceipt writes six numbers of six bytes; what does not fit is cut to the
// most that does.
func appendReceipt(b []byte, r hive.Receipt) []byte {
	for _, n := range [...]int64{r.Fuel, r.PeakMemory, r.HostCalls, r.BytesIn, r.BytesOut, r.CPU.Microseconds()} {
		b = append48(b, min(n, 1<<48-1))
	}
	return b
}

func readReceipt(b []byte) hive.Receipt {
	n := func(i int) int64 { return read48(b[6*i:]) }
	return hive.Receipt{Fuel: n(0), PeakMemory: n(1), HostCalls: n(2), BytesIn: n(3), BytesOut: n(4),
		CPU: time.Duration(n(5)) * time.Microsecond}
}

func appendField(b []byte, tag byte, value string) []byte {
	b = append(b, tag, byte(len(value)>>16), byte(len(value)>>8), byte(len(value)))
	return append(b, value...)
}

func appendBlob(b []byte, tag byte, blob hive.Blob) []byte {
	return append48(append(append(b, tag, 0, 0, blobLen), blobName(blob)...), blob.Size)
}

// readBlob is appendBlob backwards. What it cannot read is of another version: nobody may take it
// for nothing.
func readBlob(b []byte) (blob hive.Blob, ok bool) {
	if len(b) != blobLen {
		return blob, false
	}
	blob = hive.Blob{Digest: digestName + string(b[:blobLen-6]), Size: read48(b[blobLen-6:])}
	return blob, blob.Validate() == nil
}

func append48(b []byte, n int64) []byte {
	return append(b, byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func put48(b []byte, n int64) { append48(b[:0], n) }

func read48(b []byte) int64 {
	return int64(binary.BigEndian.Uint16(b))<<32 | int64(binary.BigEndian.Uint32(b[2:]))
}

func readTime(b []byte) time.Time {
	if ms := read48(b); ms != 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}

// letterOf is how a record spells a state; 0: it does not.
func letterOf(state hive.State) byte {
	for letter, s := range stateLetters {
		if s == state {
			return letter
		}
	}
	return 0
}

// unpack reads a record. The result shares memory with s.
func unpack(id string, s []byte) (*hive.Record, error) {
	if len(s) < headLen || s[0] != recordVersion {
		return nil, fmt.Errorf("task %s: %w", id, errRecord)
	}
	state, known := stateLetters[s[1]]
	fields, payload, outcome, result, whole := sections(s)
	if !known || !whole {
		return nil, fmt.Errorf("task %s: %w", id, errRecord)
	}
	r := &hive.Record{State: state}
	r.ID, r.Priority, r.Payload = id, hive.Priority(s[2]), payload
	r.Attempts = int(binary.BigEndian.Uint32(s[4:]))
	r.Failures = int(binary.BigEndian.Uint16(s[8:]))
	r.Retries = int(binary.BigEndian.Uint16(s[10:]))
	r.Created, r.Started = readTime(s[12:]), readTime(s[18:])
	if r.Finished = readTime(s[24:]); state == hive.Scheduled {
		r.Due, r.Finished = r.Finished, time.Time{}
	}
	r.Node = string(bytes.TrimRight(s[30:30+nameLen], "\x00"))
	r.Result = result
	if err := errors.Join(readTask(r, fields), readOutcome(r, outcome)); err != nil {
		return nil, fmt.Errorf("task %s: %w", id, err)
	}
	return r, nil
}

// sections cuts a record into its four variable parts.
func sections(s []byte) (fields, payload, outcome, result []byte, ok bool) {
	tlen := uint64(binary.BigEndian.Uint32(s[54:]))
	plen := uint64(binary.BigEndian.Uint32(s[58:]))
	olen := uint64(binary.BigEndian.Uint32(s[62:]))
	s = s[headLen:]
	if tlen+plen > uint64(len(s)) {
		return nil, nil, nil, nil, false
	}
	fields, payload, s = s[:tlen], s[tlen:tlen+plen], s[tlen+plen:]
	if olen > uint64(len(s)) {
		return nil, nil, nil, nil, false
	}
	return fields, payload, s[:olen], s[olen:], true
}

// eachField calls f for every field; it reports false where b is cut short.
func eachField(b []byte, f func(tag byte, value []byte)) bool {
	for len(b) > 0 {
		if len(b) < 4 {
			return false
		}
		n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if n > len(b)-4 {
			return false
		}
		f(b[0], b[4:4+n])
		b = b[4+n:]
	}
	return true
}

func readTask(r *hive.Record, fields []byte) error {
	var text, skill, require string
	known := true
	ok := eachField(fields, func(tag byte, v []byte) {
		switch tag {
		case tagPayload:
			r.PayloadBlob, known = readBlob(v)
		case tagClass:
			text = string(v)
		case tagSkill:
			skill = string(v)
		case tagRequire:
			require = string(v)
		case tagTenant:
			r.Tenant = string(v)
		case tagKey:
			r.Key = string(v)
		case tagTimeout:
			if len(v) == 4 {
				r.Timeout = time.Duration(binary.BigEndian.Uint32(v)) * time.Millisecond
			}
		case tagBackoff:
			if len(v) == backoffLen {
				r.Backoff = hive.Backoff{Base: readSpan(v), Max: readSpan(v[6:]), Jitter: float64(int16(binary.BigEndian.Uint16(v[12:]))) / 100}
			}
		default:
			readBound(r, tag, v)
		}
	})
	if !ok || !known {
		return errRecord
	}
	if !strings.HasPrefix(text, "#") {
		var c Class
		c, ok = splitClass(text)
		r.Skill, r.Require, r.Tenant, r.Key = c.Skill, c.Require, c.Tenant, c.Key
	} else {
		var errSkill, errRequire error
		r.Skill, errSkill = hive.ParseSkillRef(skill)
		r.Require, errRequire = hive.ParseSelector(require)
		ok = errSkill == nil && errRequire == nil
	}
	if !ok {
		return errRecord
	}
	return nil
}

// readBound reads a field that binds a task.
func readBound(r *hive.Record, tag byte, v []byte) {
	switch {
	case tag == tagUnique:
		r.Unique = string(v)
	case len(v) < 6:
	case tag == tagDeadline:
		r.Deadline = readTime(v)
	case tag == tagRetain:
		r.Retain = readSpan(v)
	case tag == tagUniqueFor:
		r.UniqueFor, r.Unique = readSpan(v), string(v[6:])
	}
}

func readSpan(ms []byte) time.Duration { return time.Duration(read48(ms)) * time.Millisecond }

func readOutcome(r *hive.Record, fields []byte) error {
	known := true
	ok := eachField(fields, func(tag byte, v []byte) {
		switch tag {
		case tagRan:
			r.Ran = readSkillID(string(v))
		case tagResult:
			r.ResultBlob, known = readBlob(v)
		case tagFailure:
			r.Failure = readFailure(string(v))
		case tagLog:
			r.Log = v
		case tagRecorded:
			r.Recorded, _ = strconv.Atoi(string(v)) // else nothing was
		case tagElapsed:
			if len(v) == 6 {
				r.Elapsed = time.Duration(read48(v)) * time.Microsecond
			}
		case tagReceipt:
			if len(v) == receiptLen {
				r.Receipt = readReceipt(v)
			}
		}
	})
	if !ok || !known {
		return errRecord
	}
	return nil
}

func readSkillID(s string) hive.SkillID {
	ref, digest, _ := strings.Cut(s, " ")
	name, version, _ := strings.Cut(ref, "@")
	return hive.SkillID{Name: name, Version: version, Digest: digest}
}

func readFailure(s string) *hive.Failure {
	kind, rest, found := strings.Cut(s, "\x00")
	if !found || rest == "" {
		return nil
	}
	return &hive.Failure{Kind: hive.FailureKind(kind), Permanent: rest[0] == '1', Message: rest[1:]}
}
