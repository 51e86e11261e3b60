package hostfuncs

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// Recording is one that was read back.
type Recording struct {
	Attempt int
	Cut     bool // the attempt was told more than could be kept
	Calls   int  // of functions; readings of clocks and random bytes are no calls

	// OutOfTime is for the caller to say: the attempt was. What it waited for then is
	// not recorded.
	OutOfTime bool

	manifest [8]byte // of its digest
	entries  []item
}

// item is one entry; which fields count depends on its kind.
type item struct {
	kind byte
	n    int64 // reading, ns slept, or a call's number
	name string
	args []byte
	sum  uint32
	text []byte // random bytes, or a call's answer
}

// errRecording says that bytes are no recording.
var errRecording = errors.New("not a recording of this version of the hive")

// ReadRecording reads what Attempt.Recording returned.
func ReadRecording(b []byte) (*Recording, error) {
	d := decoder{rest: b}
	version, flags := d.bytes(1)[0], d.bytes(1)[0]
	attempt, n := binary.Uvarint(d.rest)
	d.bytes(max(n, 0))
	r := &Recording{Attempt: int(attempt), Cut: flags&flagCut != 0, manifest: [8]byte(d.bytes(8))}
	if version != recordingVersion || n <= 0 || attempt > math.MaxInt32 || d.bad {
		return nil, errRecording
	}
	if flags&flagPacked != 0 {
		var err error
		d.rest, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(d.rest)), hive.MaxRecording+1))
		if err != nil || len(d.rest) > hive.MaxRecording {
			return nil, errRecording
		}
	}
	for len(d.rest) > 0 && !d.bad {
		e := d.entry()
		if e.kind == toldCall {
			r.Calls++
		}
		r.entries = append(r.entries, e)
	}
	if d.bad {
		return nil, errRecording
	}
	return r, nil
}

// Of reports whether the recorded attempt ran under this manifest.
func (r *Recording) Of(m *hive.Manifest) bool { return r.manifest == manifestDigest(m) }

// decoder reads entries. Once bad it stays so.
type decoder struct {
	rest []byte
	last [toldMonotonic + 1]int64
	bad  bool
}

func (d *decoder) entry() (e item) {
	switch e.kind = d.bytes(1)[0]; e.kind {
	case toldRealtime, toldMonotonic:
		d.last[e.kind] += d.varint()
		e.n = d.last[e.kind]
	case toldSleep:
		e.n = d.varint()
	case toldRandom:
		e.text = d.text()
	case toldCall:
		e.name, e.args = string(d.text()), d.text()
		e.sum = binary.BigEndian.Uint32(d.bytes(4))
		e.n, e.text = d.varint(), d.text()
		if e.n != int64(int32(e.n)) {
			d.bad = true
		}
	default:
		d.bad = true
	}
	return e
}

// bytes returns the next n, zeros where there are not that many.
func (d *decoder) bytes(n int) []byte {
	if n > len(d.rest) {
		d.bad, d.rest = true, nil
		return make([]byte, min(n, 8))
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	d.bytes(max(n, 0))
	d.bad = d.bad || n <= 0
	return v
}

func (d *decoder) text() []byte {
	v, n := binary.Uvarint(d.rest)
	d.bytes(max(n, 0))
	if n <= 0 || v > uint64(len(d.rest)) {
		d.bad = true
		return nil
	}
	return d.bytes(int(v))
}

// Replay answers for a host as a recording says. It serves one attempt.
type Replay struct {
	*Recording
	loose  bool
	at     [toldKinds]int // the next entry; all kinds share the first unless loose
	called int
	secret bool   // from here on arguments may differ: the secret is not recorded
	doubt  string // the first that do
	why    string
	over   bool // the guest was ended where the recorded one was

	// What goes on where nothing more was recorded, if loose.
	clocks [toldMonotonic + 1]int64
	spare  []byte // random bytes that were recorded and not asked for yet
	more   io.Reader
}

// Replay returns the host of one more attempt. The program that was recorded asks
// for everything in the same order. Another build of it, loose, has its own way
// with clocks, sleeps and random numbers: only its calls must be the same.
func (r *Recording) Replay(loose bool) *Replay {
	return &Replay{Recording: r, loose: loose, more: TaskRandom("replay")}
}

// Replayed returns how many of the recorded calls were asked for again.
func (r *Replay) Replayed() int { return r.called }

// Doubt says where arguments first differ that a secret may have been part of, "" if
// none do.
func (r *Replay) Doubt() string { return r.doubt }

// Over reports whether the guest asked for more than was recorded of one that was out
// of time: it was ended there.
func (r *Replay) Over() bool { return r.over }

// Diverged says where the attempt first asked for something else than the
// recorded one, "" if it did not.
func (r *Replay) Diverged() string { return r.why }

// diverge ends the guest.
func (r *Replay) diverge(format string, args ...any) {
	r.why = fmt.Sprintf("after %d of %d calls ", r.called, r.Calls) + fmt.Sprintf(format, args...)
	fail("the replay ends: %s", r.why)
}

// next returns the next entry of a kind, nil if there is none left and the replay
// is loose.
func (r *Replay) next(kind byte, asked func() string) *item {
	place := &r.at[0]
	if r.loose {
		place = &r.at[kind]
		for *place < len(r.entries) && r.entries[*place].kind != kind {
			*place++
		}
	}
	switch {
	case *place < len(r.entries) && r.entries[*place].kind == kind:
		*place++
		return &r.entries[*place-1]
	case r.loose && kind != toldCall:
		return nil
	case *place < len(r.entries):
		r.differs(&r.entries[*place], asked())
	case r.OutOfTime && !r.Cut && !r.loose:
		r.over = true
		fail("out of time")
	case r.Cut:
		r.diverge("the recording is full there, and it asks for %s", asked())
	}
	r.diverge("nothing more was recorded, and it asks for %s", asked())
	return nil
}

// differ is about arguments that are not the same in what is too long to show, or in
// what a secret may be part of: that is no reason to end the guest.
func (r *Replay) differ(recorded *item, asked string) {
	if !r.secret {
		r.differs(recorded, "the same with another end of what is too long to show")
	}
	if r.doubt == "" {
		r.doubt = fmt.Sprintf("call %d was recorded as %s, and is now %s", r.called+1, recorded, asked)
	}
}

func (r *Replay) differs(recorded *item, asked string) {
	r.diverge("it was recorded to ask for %s, and now asks for %s", recorded, asked)
}

// String says what is asked for.
func (e *item) String() string {
	switch e.kind {
	case toldRealtime, toldMonotonic:
		return "the time"
	case toldSleep:
		return fmt.Sprintf("a sleep of %v", time.Duration(e.n))
	case toldRandom:
		return fmt.Sprintf("%d random bytes", len(e.text))
	}
	return callText(e.name, e.args)
}

// callText writes a call for people.
func callText(name string, args []byte) string {
	var texts []string
	for d := (decoder{rest: args}); len(d.rest) > 0 && !d.bad; {
		if d.bytes(1)[0] == 'N' {
			texts = append(texts, fmt.Sprint(d.varint()))
		} else if text := d.text(); len(text) >= maxArgument {
			texts = append(texts, fmt.Sprintf("%q…", text[:maxArgument]))
		} else {
			texts = append(texts, fmt.Sprintf("%q", text))
		}
	}
	return fmt.Sprintf("%.80s(%s)", name, strings.Join(texts, ", "))
}

// call answers a call of a function.
func (r *Replay) call(name string, args arguments) (int32, []byte) {
	asked := func() string { return callText(name, args.text) }
	e := r.next(toldCall, asked)
	if what := asked(); e.name != name || !r.secret && what != e.String() {
		r.differs(e, what)
	} else if e.sum != args.sum || !bytes.Equal(e.args, args.text) {
		r.differ(e, what)
	}
	r.called++
	r.secret = r.secret || name == "secret" && e.n >= 0
	return int32(e.n), e.text
}

// reading answers the reading of a clock. Where nothing more was recorded, time
// goes on from what was.
func (r *Replay) reading(clock byte) int64 {
	e := r.next(clock, func() string { return "the time" })
	if e == nil {
		r.clocks[clock] += int64(tick)
	} else {
		r.clocks[clock] = e.n
	}
	return r.clocks[clock]
}

// random fills p. Another build may ask for the same bytes in other pieces.
func (r *Replay) random(p []byte) {
	asked := item{kind: toldRandom, text: p}
	for first := true; first || len(p) > 0; first = false {
		if len(r.spare) == 0 {
			e := r.next(toldRandom, asked.String)
			if e == nil {
				_, _ = io.ReadFull(r.more, p) // a generator has no end
				return
			}
			if !r.loose && len(e.text) != len(p) {
				r.differs(e, asked.String())
			}
			r.spare = e.text
		}
		n := copy(p, r.spare)
		p, r.spare = p[n:], r.spare[n:]
	}
}

func (r *Replay) slept(d time.Duration) {
	asked := item{kind: toldSleep, n: int64(d)}
	if e := r.next(toldSleep, asked.String); e != nil && !r.loose && e.n != int64(d) {
		r.differs(e, asked.String())
	}
}
