package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
)

const (
	// linesAtOnce and bytesAtOnce bound what is put on the road at once, and for somebody who
	// waits windowsAtOnce times that in all: a million lines stand in no memory.
	linesAtOnce   = 2000
	bytesAtOnce   = 16 << 20
	windowsAtOnce = 3
	// moreWithin is how long it is waited for further lines when some have come.
	moreWithin = 100 * time.Millisecond
)

// linesFlags say that a file has a payload on each line.
type linesFlags struct {
	file, batch, order, keyField string
	given                        func(flag string) bool
}

func (f *linesFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file, "lines", "", "a task per line of a FILE, or of standard input (-)")
	flags.StringVar(&f.batch, "batch", "", "name of the lines: a line that comes again under it is the task it was, also in another run")
	flags.StringVar(&f.keyField, "key-field", "", "with --lines: the key is this field of the line, which is JSON; of a URL its host")
	flags.StringVar(&f.order, "order", "input", "with --lines and --wait: results in the order of the input, or as they are done")
	f.given = flags.Changed
}

// check reports flags that do not go together.
func (f *linesFlags) check(wait bool) error {
	switch {
	case !f.given("lines") && (f.given("batch") || f.given("order") || f.given("key-field")):
		return usagef("--batch, --order, --key-field: want --lines, too")
	case !f.given("lines"):
		return nil
	case f.file == "":
		return usagef("--lines: want a file, or - for standard input")
	case f.given("payload"):
		return usagef("--lines and --payload: want one of them")
	case f.given("unique"):
		return usagef("--lines and --unique: only one of the tasks could have the key; --batch keeps lines from becoming two tasks")
	case f.given("key-field") && (f.keyField == "" || f.given("key")):
		return usagef("--key-field: want the name of a field, and no --key")
	case f.order != "input" && f.order != "done":
		return usagef("--order %q: want input or done", f.order)
	case f.given("order") && !wait:
		return usagef("--order: want --wait, too")
	case f.given("batch"):
		if err := hive.CheckBatch(f.batch); err != nil {
			return usageError{err}
		}
	}
	return nil
}

// window is some lines that are handled at once.
type window struct {
	payloads [][]byte
	ids      []string // nil: new ones
	lines    []line
	err      error // why it is the last, io.EOF at the end of the input
}

// line is one of the input, and the place of its payload.
type line struct{ number, at int }

// lineReader cuts an input into windows.
type lineReader struct {
	name  string
	in    *bufio.Scanner
	batch string
	skill hive.SkillRef
	check func(context.Context, []byte) error // what is wrong with a payload
	come  chan inputLine
}

// inputLine is a line that has come, or why none does any more.
type inputLine struct {
	number  int
	payload []byte
	err     error
}

// openLines opens FILE or - (standard input).
func (a *app) openLines(f *linesFlags, skill hive.SkillRef) (r *lineReader, closeFile func() error, err error) {
	in, name, closeFile := a.In, "standard input", func() error { return nil }
	if f.file != "-" {
		file, err := os.Open(f.file)
		if err != nil {
			return nil, nil, inputError(f.file, err)
		}
		in, name, closeFile = file, f.file, file.Close
	}
	r = &lineReader{name: name, in: bufio.NewScanner(in), batch: f.batch, skill: skill, come: make(chan inputLine, 64)}
	r.in.Buffer(nil, hive.MaxInline+2) // and the end of the line
	return r, closeFile, nil
}

// read reads lines until the input ends or one is wrong. A read of a terminal or a pipe cannot
// be called off: it may outlast ctx, until the process ends.
func (r *lineReader) read(ctx context.Context) {
	for l := (inputLine{number: 1}); l.err == nil; l.number++ {
		if !r.in.Scan() {
			l.err = r.end(l.number)
		} else if len(r.in.Bytes()) == 0 {
			continue
		} else {
			l.payload = bytes.Clone(r.in.Bytes())
			if err := r.check(ctx, l.payload); ctx.Err() != nil || errors.Is(err, hive.ErrUnreachable) {
				l.err = err // it is not about the line
			} else if err != nil {
				l.err = fmt.Errorf("line %d: %w: neither it nor a line behind it is on the road", l.number, err)
			}
		}
		select {
		case r.come <- l:
		case <-ctx.Done():
			return
		}
	}
}

// end says why no line comes any more.
func (r *lineReader) end(number int) error {
	err := r.in.Err()
	switch {
	case err == nil:
		return io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("%s: line %d: more than %d bytes: %w", r.name, number, hive.MaxInline, hive.ErrTooLarge)
	}
	return inputError(r.name, err)
}

// window takes the lines that have come, or come soon.
func (r *lineReader) window(ctx context.Context) *window {
	w, known, size := &window{}, map[string]int{}, 0
	var late <-chan time.Time
	for len(w.lines) < linesAtOnce && size < bytesAtOnce && w.err == nil {
		select {
		case l := <-r.come:
			if w.err = l.err; l.err == nil {
				w.add(r, l, known)
				size += len(l.payload)
			}
		case <-late:
			return w
		case <-ctx.Done():
			w.err = context.Cause(ctx)
		}
		if late == nil {
			late = time.After(moreWithin)
		}
	}
	return w
}

func (w *window) add(r *lineReader, l inputLine, known map[string]int) {
	at := len(w.payloads)
	if r.batch != "" {
		id := hive.BatchID(r.batch, r.skill, l.payload)
		if same, is := known[id]; is {
			w.lines = append(w.lines, line{l.number, same})
			return
		}
		known[id] = at
		w.ids = append(w.ids, id)
	}
	w.payloads, w.lines = append(w.payloads, l.payload), append(w.lines, line{l.number, at})
}

// lineWork puts lines on the road.
type lineWork struct {
	*app
	c     *client.Client
	task  hive.Task // of each of them
	order string
	keyOf func(payload []byte) string // nil: they have that of task

	mu                      sync.Mutex
	lines                   int // on the road
	completed, failed, left int // of those that are waited for
}

// submit puts the lines of a window on the road and prints their ids.
func (lw *lineWork) submit(ctx context.Context, w *window) error {
	tasks := make([]hive.Task, len(w.payloads))
	for i, payload := range w.payloads {
		tasks[i] = lw.task
		tasks[i].Payload = payload
		if lw.keyOf != nil {
			tasks[i].Key = lw.keyOf(payload)
		}
		if w.ids != nil {
			tasks[i].ID = w.ids[i]
		}
	}
	ids, err := lw.c.SubmitMany(context.WithoutCancel(ctx), tasks) // else some would be there whose ids nobody knows
	if err != nil {
		return err
	}
	for _, l := range w.lines {
		if lw.flags.json {
			err = printLine(lw.Out, map[string]any{"line": l.number, "task_id": ids[l.at]})
		} else {
			_, err = fmt.Fprintln(lw.Out, ids[l.at])
		}
		if err != nil {
			return err
		}
	}
	lw.lines += len(w.lines)
	return nil
}

// run has the lines of a window done and prints what came of them: in the order of the
// input when it is their turn, or as they are done.
func (lw *lineWork) run(ctx context.Context, w *window, turn <-chan struct{}) error {
	asTheyAreDone := lw.order == "done"
	of := make([][]int, len(w.payloads)) // lines
	for i, l := range w.lines {
		of[l.at] = append(of[l.at], i)
	}
	var errPrint error
	o := client.MapOptions{Task: lw.task, IDs: w.ids, Key: lw.keyOf}
	if asTheyAreDone {
		o.Over = func(at int, r *hive.Record) {
			for _, i := range of[at] {
				errPrint = errors.Join(errPrint, lw.print(w.lines[i].number, r))
			}
		}
	}
	records, err := lw.c.Map(ctx, o, w.payloads)
	<-turn
	for _, l := range w.lines {
		if r := records[l.at]; r == nil {
			lw.count(&lw.left)
		} else if !asTheyAreDone && errPrint == nil {
			errPrint = lw.print(l.number, r)
		}
	}
	return errors.Join(err, errPrint)
}

func (lw *lineWork) count(n *int) {
	lw.mu.Lock()
	defer lw.mu.Unlock()
	*n++
}

// lineResult is what came of a line, as a line of JSON.
type lineResult struct {
	Line int `json:"line"`
	taskResult
}

func (lw *lineWork) print(number int, r *hive.Record) error {
	if r.State == hive.Completed {
		lw.count(&lw.completed)
	} else {
		lw.count(&lw.failed)
	}
	lw.mu.Lock()
	defer lw.mu.Unlock()
	return printLine(lw.Out, lineResult{number, newTaskResult(r)})
}

// submitAll submits windows, one after the other.
func (lw *lineWork) submitAll(ctx context.Context, in *lineReader) (err error) {
	for err == nil {
		w := in.window(ctx)
		err = cmp.Or(lw.submit(ctx, w), w.err)
	}
	return ended(err)
}

// runAll runs windows, some at once. When the input ends, or a line of it is wrong, what is on
// the road is waited for; any other error ends that, too.
func (lw *lineWork) runAll(ctx context.Context, in *lineReader) (err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var flying sync.WaitGroup
	free, turn := make(chan struct{}, windowsAtOnce), make(chan struct{})
	close(turn)
	for err == nil {
		free <- struct{}{}
		w := in.window(ctx)
		mine, next := turn, make(chan struct{})
		turn, err = next, w.err
		flying.Go(func() {
			defer func() { close(next); <-free }()
			if err := lw.run(ctx, w, mine); err != nil {
				stop(err)
			}
		})
	}
	flying.Wait()
	return ended(cmp.Or(context.Cause(ctx), err))
}

// ended is nil for the end of the input.
func ended(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// submitLines puts a task per line on the road, and with wait prints what came of each.
func (a *app) submitLines(ctx context.Context, t hive.Task, when *whenFlags, f *linesFlags, wait bool) error {
	in, closeFile, err := a.openLines(f, t.Skill)
	if err != nil {
		return err
	}
	defer closeFile()
	return a.withRoad(ctx, func(road *broker.Broker) error {
		c := a.client(road)
		defer c.Close()
		if err := when.enterAt(ctx, c, &t); err != nil {
			return err
		}
		lw := &lineWork{app: a, c: c, task: t, order: f.order}
		if f.given("key-field") {
			lw.keyOf = func(payload []byte) string {
				key, _ := fieldKey(f.keyField, payload) // it was right when it was checked
				return key
			}
		}
		in.check = func(ctx context.Context, payload []byte) error {
			t := t
			t.Payload = payload
			if f.given("key-field") {
				var err error
				if t.Key, err = fieldKey(f.keyField, payload); err != nil {
					return err
				}
			}
			t.RunAt, t.Deadline = time.Time{}, time.Time{} // they are those of all, and right
			return c.Check(ctx, t)
		}
		ctx, stop := context.WithCancel(ctx)
		defer stop() // the reading
		go in.read(ctx)
		if !wait {
			err := lw.submitAll(ctx, in)
			a.say("%s on the road%s", plural(lw.lines, "line is", "lines are"), again(err, f))
			return err
		}
		l := lookout{app: a, road: road, lane: laneLike(road, &t), clear: func() {}}
		err := l.waiting(ctx, func(ctx context.Context) error { return lw.runAll(ctx, in) })
		left := ""
		if lw.left > 0 {
			left = fmt.Sprintf(", left %d", lw.left)
		}
		a.say("completed %d/%d, failed %d%s%s", lw.completed, lw.completed+lw.failed+lw.left, lw.failed, left, again(err, f))
		if err == nil && lw.failed > 0 {
			err = errTaskFailed
		}
		return err
	})
}

// fieldKey is what a field of a payload says: text, of which a URL stands for its host, or a
// number.
func fieldKey(field string, payload []byte) (string, error) {
	var fields map[string]json.RawMessage
	var key string
	err := json.Unmarshal(payload, &fields)
	if err == nil && json.Unmarshal(fields[field], &key) != nil {
		var n json.Number
		err = json.Unmarshal(fields[field], &n)
		key = n.String()
	}
	if err != nil || key == "" {
		return "", fmt.Errorf("--key-field %s: want an object whose field of this name is text or a number", field)
	}
	if strings.Contains(key, "://") {
		return hostOf(key)
	}
	return key, nil
}

// hostOf is the host of a URL as all spellings of it have it: in lower case, and with its port
// unless that is the usual one.
func hostOf(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%.80q is no URL with a host", text)
	}
	host, port := strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), u.Port()
	if port == map[string]string{"http": "80", "https": "443"}[u.Scheme] || port == "" {
		return host, nil
	}
	return net.JoinHostPort(host, port), nil
}

// again says what the same command would do after an error.
func again(err error, f *linesFlags) string {
	switch {
	case err == nil:
		return ""
	case f.batch == "":
		return "; the same command would begin anew (with --batch it goes on)"
	}
	return "; the same command goes on with what is there"
}
