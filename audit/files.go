package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// A log is a directory: a file per span of records, named by the first of them,
// and the file that its writer holds a lock on.
const (
	filePrefix = "audit-"
	fileSuffix = ".jsonl"
	lockName   = "lock"
)

// logFile is one file of a log.
type logFile struct {
	path  string
	first int64 // number of its first record, by its name
}

func fileName(first int64) string { return fmt.Sprintf("%s%012d%s", filePrefix, first, fileSuffix) }

// logFiles lists a log's files, the oldest first. Others are none of its own.
func logFiles(dir string) ([]logFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []logFile
	for _, e := range entries {
		number := strings.TrimSuffix(strings.TrimPrefix(e.Name(), filePrefix), fileSuffix)
		first, err := strconv.ParseInt(number, 10, 64)
		if err == nil && first > 0 && e.Name() == fileName(first) {
			files = append(files, logFile{filepath.Join(dir, e.Name()), first})
		}
	}
	slices.SortFunc(files, func(a, b logFile) int { return int(min(1, max(-1, a.first-b.first))) })
	return files, nil
}

var errLongLine = fmt.Errorf("a line of more than %d bytes", MaxLine)

// wholeLines returns how many of a file's bytes are whole lines. What follows is
// the beginning of a line that was never finished.
func wholeLines(f io.ReaderAt, size int64) (int64, error) {
	tail := make([]byte, min(size, MaxLine))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return 0, err
	}
	if i := bytes.LastIndexByte(tail, '\n'); i >= 0 {
		return size - int64(len(tail)-i-1), nil
	}
	if size >= MaxLine {
		return 0, errLongLine
	}
	return 0, nil
}

// chunk is how many bytes of a file are read backwards at a time.
const chunk = 64 << 10

// backwards yields the lines that end at or before end, where one does, the last
// one first and without their newlines. They are valid until the next.
func backwards(f io.ReaderAt, end int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var lines []byte // of the file from end on, as far as they were not yielded
		for end > 0 {
			more := make([]byte, min(end, chunk), min(end, chunk)+int64(len(lines)))
			if _, err := f.ReadAt(more, end-int64(len(more))); err != nil && err != io.EOF {
				yield(nil, err)
				return
			}
			end -= int64(len(more))
			lines = append(more, lines...)
			for {
				i := bytes.LastIndexByte(lines[:len(lines)-1], '\n')
				if i < 0 {
					break
				}
				if !yield(lines[i+1:len(lines)-1], nil) {
					return
				}
				lines = lines[:i+1]
			}
			if len(lines) > MaxLine {
				yield(nil, errLongLine)
				return
			}
		}
		if len(lines) > 0 {
			yield(lines[:len(lines)-1], nil)
		}
	}
}

// endBefore returns where the lines of f end that are numbered below seq, by
// halving: numbers rise. end is where whole lines end.
func endBefore(f io.ReaderAt, end, seq int64) (int64, error) {
	var failed error
	at := sort.Search(int(end), func(at int) bool {
		start, first, err := lineFrom(f, int64(at), end)
		failed = errors.Join(failed, err)
		return err != nil || start == end || first >= seq
	})
	if failed != nil {
		return 0, failed
	}
	start, _, err := lineFrom(f, int64(at), end)
	return start, err
}

// lineFrom returns where the first line begins that begins at or after a place,
// and its number. There being none, it begins at the end.
func lineFrom(f io.ReaderAt, at, end int64) (start, seq int64, err error) {
	const numbered = 32 // bytes of a line that hold its number
	if start = at; at > 0 {
		if start, err = pastNewline(f, at-1, end); err != nil || start == end {
			return start, 0, err
		}
	}
	if start == end {
		return end, 0, nil
	}
	b := make([]byte, min(numbered, end-start))
	if _, err := f.ReadAt(b, start); err != nil && err != io.EOF {
		return 0, 0, err
	}
	seq, ok := seqOf(b)
	if !ok {
		return 0, 0, fmt.Errorf("byte %d: not a record", start)
	}
	return start, seq, nil
}

// pastNewline returns the place after the first newline from a place on.
func pastNewline(f io.ReaderAt, at, end int64) (int64, error) {
	b := make([]byte, 512)
	for at < end {
		n, err := f.ReadAt(b[:min(int64(len(b)), end-at)], at)
		if i := bytes.IndexByte(b[:n], '\n'); i >= 0 {
			return at + int64(i) + 1, nil
		}
		if err != nil && err != io.EOF {
			return 0, err
		}
		if at += int64(n); n == 0 {
			break
		}
	}
	return end, nil
}

// syncDir makes the names of new files last. Windows keeps them by itself.
func syncDir(dir string) error {
	if goruntime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
