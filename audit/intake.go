package audit

import (
	"errors"
	"fmt"
)

// window is how many of the newest records are looked at for a note that comes again.
// It comes again after a crash, or at once: then few came between.
const window = 4096

// Intake takes notes into a log, each of them once. It holds the log's lock. It is for
// one goroutine at a time.
type Intake struct {
	dir  string
	opts Options
	log  *Log // nil: it is to be opened again

	seen  map[string]bool // marks of the newest notes
	order []string        // the oldest first
}

// OpenIntake opens the log in a directory as Open does. Notes are synced together,
// whatever NoSync says.
func OpenIntake(dir string, o Options) (*Intake, error) {
	o.NoSync = true
	in := &Intake{dir: dir, opts: o}
	if err := in.open(); err != nil {
		return nil, err
	}
	return in, nil
}

// open opens the log, and learns what is in it.
func (in *Intake) open() error {
	if in.log != nil {
		return nil
	}
	log, err := Open(in.dir, in.opts)
	if err != nil {
		return err
	}
	records, err := List(in.dir, Query{Limit: window})
	if err != nil {
		return errors.Join(err, log.Close())
	}
	in.log, in.seen, in.order = log, map[string]bool{}, nil
	for i := len(records) - 1; i >= 0; i-- {
		if id := records[i].Fields[fieldID]; id != "" {
			in.remember(records[i].Actor + " " + id)
		}
	}
	return nil
}

func (in *Intake) remember(mark string) {
	if len(in.order) == window {
		delete(in.seen, in.order[0])
		in.order = in.order[1:]
	}
	in.seen[mark] = true
	in.order = append(in.order, mark)
}

// Take adds those notes to the log that are not there yet. Without an error all of
// them are on the disk; with one, they may be taken again. After an error the log is
// opened anew by the next call.
func (in *Intake) Take(notes ...Note) error {
	if err := in.open(); err != nil {
		return err
	}
	err := in.add(notes)
	if err == nil {
		_, err = in.log.Head() // syncs
	}
	if err != nil {
		_ = in.Close() // it would say the same
	}
	return err
}

func (in *Intake) add(notes []Note) error {
	for i := range notes {
		n := &notes[i]
		if err := n.check(); err != nil {
			return err
		}
		if in.seen[n.mark()] {
			continue
		}
		if _, err := in.log.Append(n.entry()); err != nil {
			return err
		}
		in.remember(n.mark())
	}
	return nil
}

// Head names the newest record, which is on the disk.
func (in *Intake) Head() (Head, error) {
	if err := in.open(); err != nil {
		return Head{}, err
	}
	return in.log.Head()
}

// Close gives up the log and its lock.
func (in *Intake) Close() error {
	if in.log == nil {
		return nil
	}
	err := in.log.Close()
	in.log = nil
	return err
}

// count says how many entries something happened to, as fields of an entry.
func count(n int) map[string]string { return map[string]string{"entries": fmt.Sprint(n)} }
