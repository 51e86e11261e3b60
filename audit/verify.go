package audit

import (
	"bufio"
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Report is what Verify read.
type Report struct {
	First, Last int64 // numbers of the records there are; 0: none
	Head        Head  // of the last one
	Files       int
	Unfinished  int64 // bytes of a last line that is not finished, by a crash or because it is just being written
}

// Damage is the first bad record of a log.
type Damage struct {
	Seq  int64  // which record is bad or missing
	File string // where it stands, or should; empty: nowhere
	Line int
	Why  string
}

func (d *Damage) Error() string {
	if d.File == "" {
		return fmt.Sprintf("record %d: %s", d.Seq, d.Why)
	}
	return fmt.Sprintf("record %d (%s, line %d): %s", d.Seq, d.File, d.Line, d.Why)
}

// Verify reads the whole log in a directory and returns a *Damage if a record was
// changed, is missing or is out of its place. Heads that were kept elsewhere let it
// find what the log alone cannot show: a tail that was cut, a last record that was
// changed and a log that was written anew; and they let a log begin later than
// with record 1 where one names the record before.
func Verify(dir string, heads ...Head) (Report, error) {
	return verify(dir, newChain(heads), heads)
}

// Export writes the records of the log in a directory, a line each as they stand
// there, and a head that is signed. It verifies what it writes; on an error that is
// worth nothing. It may read while another process writes.
func Export(dir string, w io.Writer, key crypto.Signer) (Report, error) {
	c := newChain(nil)
	c.out = w
	report, err := verify(dir, c, nil)
	if err != nil {
		return report, err
	}
	head, err := report.Head.Sign(key)
	if err == nil {
		_, err = w.Write(head)
	}
	return report, err
}

func verify(dir string, c *chain, heads []Head) (Report, error) {
	files, err := logFiles(dir)
	if err != nil {
		return Report{}, fmt.Errorf("verify audit log: %w", err)
	}
	for i, f := range files {
		if err := c.file(f, i == len(files)-1); err != nil {
			return c.report, fmt.Errorf("verify audit log %s: %w", dir, err)
		}
	}
	if err := c.end(heads); err != nil {
		return c.report, fmt.Errorf("verify audit log %s: %w", dir, err)
	}
	return c.report, nil
}

// chain holds lines, one after the other, against the one before.
type chain struct {
	report Report
	known  map[int64]string // hashes that heads name, by number
	last   Damage           // where the last line stands
	text   []byte           // of the last line
	// suspect stands where two neighbours do not fit: the line after them says
	// which one it was.
	suspect *Damage
	out     io.Writer // whoever wants the lines too; nil: nobody
}

func newChain(heads []Head) *chain {
	c := &chain{known: map[int64]string{}, report: Report{Head: Head{Hash: origin}}}
	for _, h := range heads {
		c.known[h.Seq] = h.Hash
	}
	return c
}

// file reads one file of the log.
func (c *chain) file(f logFile, last bool) error {
	r, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer r.Close()
	c.report.Files++
	lines := bufio.NewReaderSize(r, MaxLine)
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		at := Damage{Seq: c.report.Last + 1, File: filepath.Base(f.path), Line: n}
		switch {
		case err == nil:
			err = c.line(line[:len(line)-1], at, f.first)
			if err == nil && c.out != nil {
				_, err = c.out.Write(line)
			}
		case err == io.EOF && last:
			c.report.Unfinished = int64(len(line))
			return nil
		case err == io.EOF && len(line) > 0:
			err = at.because("the line is not finished, and another file follows")
		case err == io.EOF:
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			err = at.because("%v", errLongLine)
		}
		if err != nil {
			return err
		}
	}
}

func (d Damage) because(format string, args ...any) error {
	d.Why = fmt.Sprintf(format, args...)
	return &d
}

// line takes the next line of a file that is named after the record it begins with.
func (c *chain) line(line []byte, at Damage, first int64) error {
	seq, prev, ok := place(line)
	if c.suspect != nil {
		return c.settle(ok && prev == c.report.Head.Hash)
	}
	switch {
	case !ok:
		return at.because("not a record")
	case at.Line == 1 && seq != first:
		return at.because("the file begins with record %d, and its name says %d", seq, first)
	case c.report.Last == 0 && seq > 1:
		if c.known[seq-1] != prev {
			return Damage{Seq: 1}.because("missing: the log begins with record %d (a head of record %d shows what was moved away)", seq, seq-1)
		}
		c.report.First = seq
	case seq != at.Seq:
		return at.because("missing: record %d stands in its place", seq)
	case prev != c.report.Head.Hash:
		if seq == 1 {
			return at.because("it names one before it, and there is none")
		}
		c.suspect = new(c.last)
		c.suspect.Why = fmt.Sprintf("it was changed: record %d names another one before it", seq)
	}
	return c.take(seq, line, at)
}

// take makes a line the newest one.
func (c *chain) take(seq int64, line []byte, at Damage) error {
	if c.report.First == 0 {
		c.report.First = seq
	}
	at.Seq = seq
	c.last, c.report.Last, c.text = at, seq, append(c.text[:0], line...)
	c.report.Head = Head{Seq: seq, Hash: hashOf(line)}
	if want, ok := c.known[seq]; ok && want != c.report.Head.Hash {
		return at.because("it is not the one that a head names: it was changed, or the log was written anew up to here")
	}
	return nil
}

// settle names the bad one of two neighbours: the second, unless what follows
// vouches for it.
func (c *chain) settle(vouched bool) error {
	if vouched {
		return c.suspect
	}
	return c.last.because("it was changed: neither record %d nor what follows fits to it", c.suspect.Seq)
}

// end holds the last line, for which no other one speaks, against heads.
func (c *chain) end(heads []Head) error {
	r := &c.report
	if c.suspect != nil {
		if c.known[r.Last] != "" {
			return c.settle(c.known[r.Last] == r.Head.Hash)
		}
		return c.suspect.because("it or record %d, the last one, was changed", r.Last)
	}
	if r.Last > 0 {
		last, err := decode(c.text)
		if err != nil {
			return c.last.because("%v", err)
		}
		r.Head.Time = last.Time
	}
	for _, h := range heads {
		if h.Seq > r.Last {
			return Damage{Seq: r.Last + 1}.because("missing: the log ends before it, and a head names record %d", h.Seq)
		}
	}
	return nil
}
