package hive

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
)

// Task ids are 22 characters that sort by time: 42 bits of Unix milliseconds
// and 68 random bits, in Crockford's base 32, lower case. 22 is the longest id
// whose Redis key still fits a 32-byte allocation.
const (
	idLen    = 22
	maxIDLen = 64 // derived ids (PARENT-3) are longer
	idChars  = "0123456789abcdefghjkmnpqrstvwxyz"
)

// idSource hands out ids that rise even within one millisecond.
type idSource struct {
	mu     sync.Mutex
	ms     uint64
	hi, lo uint64 // 4 and 64 bits: the random part
}

var ids idSource

// NewID returns a fresh task id. Ids of one process are strictly increasing.
func NewID() string { return ids.next(uint64(time.Now().UnixMilli())) }

func (s *idSource) next(ms uint64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ms > s.ms {
		s.ms = ms
		s.reseed()
	} else if s.lo++; s.lo == 0 {
		if s.hi++; s.hi == 16 { // 2^68 ids in one millisecond: never, but cheap to get right
			s.ms++
			s.reseed()
		}
	}
	return encodeID(s.ms, s.hi, s.lo)
}

// reseed leaves the top random bit free, so a burst has room to count up.
func (s *idSource) reseed() {
	var b [9]byte
	rand.Read(b[:])
	s.hi, s.lo = uint64(b[0]&7), binary.BigEndian.Uint64(b[1:])
}

func encodeID(ms, hi, lo uint64) string {
	var out [idLen]byte
	hi |= ms << 4 // 46 bits: milliseconds and the top of the random part
	for i := idLen - 1; i >= 0; i-- {
		out[i] = idChars[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return string(out[:])
}

// IDTime returns when the task id was made, to the millisecond, or the zero
// time if id does not look made by NewID or derived from such an id (ID-3).
func IDTime(id string) time.Time {
	if len(id) < idLen || len(id) > idLen && id[idLen] != '-' {
		return time.Time{}
	}
	var hi, lo uint64
	for i := range idLen {
		v := idDigit(id[i])
		if v < 0 {
			return time.Time{}
		}
		hi = hi<<5 | lo>>59
		lo = lo<<5 | uint64(v)
	}
	return time.UnixMilli(int64(hi >> 4 & (1<<42 - 1)))
}

func idDigit(c byte) int {
	for i := range len(idChars) {
		if idChars[i] == c {
			return i
		}
	}
	return -1
}

// CheckID reports whether id can be a task id: 1 to 64 of a-z, 0-9 and '-'.
func CheckID(id string) error {
	if id == "" || len(id) > maxIDLen {
		return fmt.Errorf("task id %.80q: want 1 to %d characters", id, maxIDLen)
	}
	for _, c := range id {
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return fmt.Errorf("task id %q: %q is not one of a-z, 0-9 and '-'", id, c)
		}
	}
	return nil
}

// maxBatch bounds the name of a batch: shorter than what IDTime could take for a time.
const maxBatch = 20

// CheckBatch reports a name that no batch can have.
func CheckBatch(name string) error {
	if name == "" || len(name) > maxBatch || name[0] == '-' || CheckID(name) != nil {
		return fmt.Errorf("batch %.80q: want 1 to %d of a-z, 0-9 and '-', not beginning with '-'", name, maxBatch)
	}
	return nil
}

// BatchID returns the id of the task that a skill has for a payload in a batch: the same
// whenever it is asked for, so that the task is put on the road once. It says nothing of
// when it was made.
func BatchID(batch string, skill SkillRef, payload []byte) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n", batch, skill)
	sum.Write(payload)
	digest := sum.Sum(nil)
	return batch + "-" + encodeID(0, binary.BigEndian.Uint64(digest)&(1<<36-1), binary.BigEndian.Uint64(digest[8:]))[2:]
}

// DerivedID returns the id of the nth task that the task of an id asks for: ID-n,
// or where that is too long, a digest of it.
func DerivedID(parent string, n int) string {
	id := fmt.Sprintf("%s-%d", parent, n)
	if len(id) <= maxIDLen {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return encodeID(binary.BigEndian.Uint64(sum[:])&(1<<42-1), uint64(sum[8]&15), binary.BigEndian.Uint64(sum[9:]))
}
