package audit

import (
	"fmt"
	"iter"
	"os"
	"strings"
	"time"
)

// Query says which records List returns: those that meet all that is set.
type Query struct {
	Before  int64 // numbered below it; 0: from the newest on
	Limit   int   // at most so many; 0: 100
	Actor   string
	Action  string // this one, or what begins with it and a dot
	Subject string
	Outcome Outcome
	Since   time.Time
	Until   time.Time // the time itself is out
}

const defaultLimit = 100

// Matches reports whether a record is one that q asks for, Before and Limit aside.
func (q *Query) Matches(r *Record) bool {
	return (q.Actor == "" || r.Actor == q.Actor) &&
		(q.Action == "" || r.Action == q.Action || strings.HasPrefix(r.Action, q.Action+".")) &&
		(q.Subject == "" || r.Subject == q.Subject) &&
		(q.Outcome == "" || r.Outcome == q.Outcome) &&
		(q.Since.IsZero() || !r.Time.Before(q.Since)) &&
		(q.Until.IsZero() || r.Time.Before(q.Until))
}

// List returns records of the log in a directory, the newest first. The number of
// the last one is the Before of the next page. Of a damaged log it returns what is
// newer than the damage, and an error. It may read while another process writes.
func List(dir string, q Query) ([]Record, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	files, err := logFiles(dir)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	var found []Record
	for line, err := range newest(files, q.Before) {
		var r Record
		if err == nil {
			r, err = decode(line)
		}
		if err != nil {
			return found, fmt.Errorf("read audit log %s: %w (nexus audit verify says more)", dir, err)
		}
		if !q.Matches(&r) {
			continue
		}
		if found = append(found, r); len(found) == limit {
			break
		}
	}
	return found, nil
}

// newest yields the lines of the records numbered below a number (0: of all), the
// newest first. A line that is not finished is left out.
func newest(files []logFile, before int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for i := len(files) - 1; i >= 0; i-- {
			if before > 0 && files[i].first >= before {
				continue
			}
			if !files[i].newest(before, yield) {
				return
			}
		}
	}
}

func (f logFile) newest(before int64, yield func([]byte, error) bool) (more bool) {
	fail := func(err error) bool {
		yield(nil, fmt.Errorf("%s: %w", f.path, err))
		return false
	}
	r, err := os.Open(f.path)
	if err != nil {
		return fail(err)
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return fail(err)
	}
	end, err := wholeLines(r, info.Size())
	if err == nil && before > 0 {
		end, err = endBefore(r, end, before)
	}
	if err != nil {
		return fail(err)
	}
	for line, err := range backwards(r, end) {
		if err != nil {
			return fail(err)
		}
		if !yield(line, nil) {
			return false
		}
	}
	return true
}
