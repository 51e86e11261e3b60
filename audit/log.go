package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Options are how a log is written. The zero value is the safe way.
type Options struct {
	MaxFile int64            // bytes after which a new file begins; 0: 64 MiB
	NoSync  bool             // Append does not wait for the disk: when the machine stops, the last records may be lost
	Now     func() time.Time // nil: time.Now
}

const defaultMaxFile = 64 << 20

// What is told of a log itself.
const (
	actionRepair     = "audit.repair"     // a line that was never finished was cut off
	ActionDrop       = "audit.drop"       // entries were given up where too many waited
	ActionUnreadable = "audit.unreadable" // something that is no entry was handed in
)

// ErrLocked says that another process writes the log.
var ErrLocked = errors.New("another process writes it; stop that one first")

// file is the part of *os.File that a log writes with.
type file interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// Log appends records. Its methods may be called concurrently.
type Log struct {
	dir      string
	opts     Options
	lock     *os.File
	repaired int64

	// syncing lets one caller sync for all that wait; it comes before mu.
	syncing sync.Mutex
	synced  int64 // the newest record that is on the disk

	mu     sync.Mutex
	f      file
	size   int64 // of f
	head   Head
	broken error // why nothing more is written
}

// Open opens the log in a directory, which it makes if there is none, and locks it
// against other processes. A line that a crash left unfinished is cut off, which
// Repaired and a record say; other damage is refused.
func Open(dir string, opts Options) (*Log, error) {
	if opts.MaxFile <= 0 {
		opts.MaxFile = defaultMaxFile
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	l := &Log{dir: dir, opts: opts, head: Head{Hash: origin}}
	if err := l.open(); err != nil {
		_ = l.shut()
		return nil, fmt.Errorf("open audit log %s: %w", dir, err)
	}
	return l, nil
}

func (l *Log) open() (err error) {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	if l.lock, err = os.OpenFile(filepath.Join(l.dir, lockName), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	if err := lockFile(l.lock); err != nil {
		return err
	}
	files, err := logFiles(l.dir)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return l.begin()
	}
	if err := l.resume(files); err != nil || l.repaired == 0 {
		return err
	}
	_, err = l.Append(Entry{Actor: "audit", Action: actionRepair, Outcome: OK,
		Reason: "a line that was never finished was cut off", Fields: map[string]string{"bytes": strconv.FormatInt(l.repaired, 10)}})
	return err
}

// begin makes the file of the next record.
func (l *Log) begin() error {
	f, err := os.OpenFile(filepath.Join(l.dir, fileName(l.head.Seq+1)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := syncDir(l.dir); err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	l.f, l.size = f, 0
	return nil
}

// resume goes on where the last file ends. That file may have no record yet: then
// the one before tells the head.
func (l *Log) resume(files []logFile) error {
	last := files[len(files)-1]
	f, err := os.OpenFile(last.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	l.f = f
	if l.size, l.repaired, err = repair(f); err != nil {
		return fmt.Errorf("%s: %w", last.path, err)
	}
	if l.head, err = headOf(files); err != nil {
		return err
	}
	if l.size == 0 && last.first != l.head.Seq+1 {
		return fmt.Errorf("%s: the record before it is missing: the last one is %d (nexus audit verify says more)", last.path, l.head.Seq)
	}
	l.synced = l.head.Seq
	return nil
}

// repair cuts off a line that was not finished, and makes what stays last: a
// crash may have left it in memory only.
func repair(f *os.File) (size, cut int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	if size, err = wholeLines(f, info.Size()); err != nil {
		return 0, 0, err
	}
	if cut = info.Size() - size; cut > 0 {
		if err := f.Truncate(size); err != nil {
			return 0, 0, err
		}
	}
	return size, cut, f.Sync()
}

// headOf reads the newest record of a log whose files end with whole lines.
func headOf(files []logFile) (Head, error) {
	for line, err := range newest(files, 0) {
		if err != nil {
			return Head{}, err
		}
		r, err := decode(line)
		if err != nil {
			return Head{}, fmt.Errorf("the last line is %w (nexus audit verify says more; move the folder away to begin a new log)", err)
		}
		return Head{r.Seq, hashOf(line), r.Time}, nil
	}
	return Head{Hash: origin}, nil
}

// Repaired is how many bytes of a line that was never finished Open cut off.
func (l *Log) Repaired() int64 { return l.repaired }

// Append adds a record and returns it when it is on the disk. Callers that come
// at once share one wait for it. On an error the record may be there all the same.
func (l *Log) Append(e Entry) (Record, error) {
	r, err := l.append(e)
	if err == nil && !l.opts.NoSync {
		err = l.sync(r.Seq)
	}
	if err != nil {
		return Record{}, fmt.Errorf("audit %.80q: %w", e.Action, err)
	}
	return r, nil
}

func (l *Log) append(e Entry) (Record, error) {
	if err := e.check(); err != nil {
		return Record{}, err
	}
	if err := l.rotate(); err != nil {
		return Record{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return Record{}, l.broken
	}
	r := Record{l.head.Seq + 1, l.opts.Now().UTC().Truncate(time.Millisecond), e.clipped(), l.head.Hash}
	line, err := r.encode()
	if err != nil {
		return Record{}, err
	}
	if err := l.write(append(line, '\n')); err != nil {
		return Record{}, err
	}
	l.head = Head{r.Seq, hashOf(line), r.Time}
	return r, nil
}

// write writes a whole line or nothing: what came of one that does not fit on the
// disk is taken back.
func (l *Log) write(line []byte) error {
	_, err := l.f.WriteAt(line, l.size)
	if err == nil {
		l.size += int64(len(line))
		return nil
	}
	if undo := l.f.Truncate(l.size); undo != nil {
		return l.fail(errors.Join(err, undo))
	}
	return err
}

// rotate begins a new file if the one there is full. The old one is on the disk
// before: records are lost from the end only.
func (l *Log) rotate() error {
	l.mu.Lock()
	full := l.size >= l.opts.MaxFile
	l.mu.Unlock()
	if !full {
		return nil
	}
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil || l.size < l.opts.MaxFile {
		return l.broken
	}
	if err := l.f.Sync(); err != nil {
		return l.fail(err)
	}
	old := l.f
	if err := l.begin(); err != nil {
		return err
	}
	return old.Close()
}

// sync returns when a record is on the disk. A sync that failed may have lost what
// it was to keep, and the next would not say so: it is the last.
func (l *Log) sync(seq int64) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	if l.synced >= seq {
		return nil
	}
	l.mu.Lock()
	f, upTo, broken := l.f, l.head.Seq, l.broken
	l.mu.Unlock()
	if broken != nil {
		return broken
	}
	if err := f.Sync(); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.fail(err)
	}
	l.synced = upTo
	return nil
}

// fail ends the writing: what is on the disk is not known.
func (l *Log) fail(err error) error {
	l.broken = fmt.Errorf("the log is to be opened again: %w", err)
	return l.broken
}

// Head names the newest record. That one is on the disk, whatever Options say:
// a head that is kept elsewhere must not be newer than the log.
func (l *Log) Head() (Head, error) {
	l.mu.Lock()
	head := l.head
	l.mu.Unlock()
	if err := l.sync(head.Seq); err != nil {
		return Head{}, fmt.Errorf("audit head: %w", err)
	}
	return head, nil
}

// Close writes what is not on the disk yet and gives up the lock.
func (l *Log) Close() error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.broken, os.ErrClosed) {
		return nil
	}
	var err error
	if l.broken == nil {
		err = l.f.Sync()
	}
	l.broken = os.ErrClosed
	if err = errors.Join(err, l.shut()); err != nil {
		return fmt.Errorf("close audit log %s: %w", l.dir, err)
	}
	return nil
}

// shut closes the files there are.
func (l *Log) shut() (err error) {
	if l.f != nil {
		err = l.f.Close()
	}
	if l.lock != nil {
		err = errors.Join(err, l.lock.Close())
	}
	return err
}
