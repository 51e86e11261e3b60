package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"time"

	"github.com/hive-spore/hive"
)

// MaxNote bounds a note in bytes.
const MaxNote = 16 << 10

// shortText is what is left of a field where MaxNote would be passed.
const shortText = 64

// The fields that a note adds to its record. No entry of a note has them.
const (
	fieldID = "id" // of the note
	fieldAt = "at" // when it was written, by the clock of its writer
)

// Note is an entry on its way to a log that somebody else writes. It may arrive
// twice, which its id shows.
type Note struct {
	ID   string    `json:"id"`   // at most 64 of letters, digits, '.', '_' and '-'; of its actor alone
	Time time.Time `json:"time"` // when it was written, whole milliseconds
	Entry
}

var noteID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// NewNote makes a note of an entry that a log would take. Texts that are too long
// are clipped.
func NewNote(e Entry, now time.Time) (Note, error) {
	n := Note{hive.NewID(), now.UTC().Truncate(time.Millisecond), e.clipped()}
	return n, n.check()
}

func (n *Note) check() error {
	switch {
	case !noteID.MatchString(n.ID):
		return fmt.Errorf("note: id %.80q: want 1 to 64 letters, digits, '.', '_' and '-'", n.ID)
	case n.Time.Year() < 1 || n.Time.Year() > 9999:
		return fmt.Errorf("note: a time of the year %d", n.Time.Year())
	case len(n.Fields) > maxFields-2:
		return fmt.Errorf("note: %d fields: at most %d allowed", len(n.Fields), maxFields-2)
	}
	for _, name := range []string{fieldID, fieldAt} {
		if _, taken := n.Fields[name]; taken {
			return fmt.Errorf("note: field %q is the note's own", name)
		}
	}
	if err := n.Entry.check(); err != nil {
		return fmt.Errorf("note: %w", err)
	}
	return nil
}

// Encode returns what ReadNote reads, at most MaxNote bytes. Fields give way first.
func (n Note) Encode() ([]byte, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	n.Entry = n.clipped()
	data, err := json.Marshal(n)
	if err == nil && len(data) > MaxNote {
		for name, value := range n.Fields {
			n.Fields[name] = hive.Clip(value, shortText)
		}
		data, err = json.Marshal(n)
	}
	return data, err
}

// ReadNote reads a note that Encode wrote; what is none, and would not go into a log,
// is refused.
func ReadNote(data []byte) (n Note, err error) {
	if len(data) > MaxNote {
		return n, fmt.Errorf("note: %d bytes, at most %d allowed", len(data), MaxNote)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if dec.Decode(&n) != nil || dec.InputOffset() != int64(len(data)) {
		return n, errors.New("note: not one as a spore or a command writes it")
	}
	return n, n.check()
}

// entry is the note as it stands in the log.
func (n *Note) entry() Entry {
	e := n.Entry
	if e.Fields = maps.Clone(e.Fields); e.Fields == nil {
		e.Fields = map[string]string{}
	}
	e.Fields[fieldID], e.Fields[fieldAt] = n.ID, n.Time.UTC().Format(time.RFC3339Nano)
	return e
}

// mark tells notes apart: nobody can take the id of another actor's.
func (n *Note) mark() string { return n.clipped().Actor + " " + n.ID }
