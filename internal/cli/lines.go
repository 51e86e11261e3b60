package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
)

const (
	// linesAtOnce and bytesAtOnce bound what is read ahead and is on the road at once for
	// somebody who waits, windowsAtOnce times that in all: a million lines stand in no memory.
	linesAtOnce   = 4000
	bytesAtOnce   = 16 << 20
	windowsAtOnce = 3
)

// linesFlags say that a file has a payload on each line.
type linesFlags struct {
	file, batch, order string
	given              func(flag string) bool
}

func (f *linesFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file, "lines", "", "a task per line of a FILE, or of standard input (-)")
	flags.StringVar(&f.batch, "batch", "", "name of the lines: a line that comes again under it is the task it was, also in another run")
	flags.StringVar(&f.order, "order", "input", "with --lines and --wait: results in the order of the input, or as they are done")
	f.given = flags.Changed
}

// check reports flags that do not go together.
func (f *linesFlags) check(wait bool) error {
	switch {
	case !f.given("lines") && (f.given("batch") || f.given("order")):
		return usagef("--batch, --order: want --lines, too")
	case !f.given("lines"):
		return nil
	case f.file == "":
		return usagef("--lines: want a file, or - for standard input")
	case f.given("payload"):
		return usagef("--lines and --payload: want one of them")
	case f.given("unique"):
		return usagef("--lines and --unique: only one of the tasks could have the key; --batch keeps lines from becoming two tasks")
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
	first    []int    // number of the line that has each payload first
	lines    []line
	err      error // what ended the reading
}

// line is one of the input, and the place of its payload.
type line struct{ number, at int }

// cut drops the payload at a place and all behind it.
func (w *window) cut(at int) {
	w.payloads, w.first = w.payloads[:at], w.first[:at]
	if w.ids != nil {
		w.ids = w.ids[:at]
	}
	kept := w.lines[:0]
	for _, l := range w.lines {
		if l.at < at {
			kept = append(kept, l)
		}
	}
	w.lines = kept
}

// lineReader cuts an input into windows.
type lineReader struct {
	name  string
	in    *bufio.Scanner
	line  int
	batch string
	skill hive.SkillRef
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
	r = &lineReader{name: name, in: bufio.NewScanner(in), batch: f.batch, skill: skill}
	r.in.Buffer(nil, hive.MaxPayload+2) // and the end of the line
	return r, closeFile, nil
}

// windows sends windows until the input ends, the last with why, which is io.EOF at its end.
// A read of a terminal or a pipe cannot be called off: it may outlast ctx, until the process
// ends.
func (r *lineReader) windows(ctx context.Context) <-chan *window {
	out := make(chan *window)
	go func() {
		defer close(out)
		for {
			w := r.window()
			select {
			case out <- w:
			case <-ctx.Done():
				return
			}
			if w.err != nil {
				return
			}
		}
	}()
	return out
}

func (r *lineReader) window() *window {
	w, known, bytes := &window{}, map[string]int{}, 0
	for len(w.lines) < linesAtOnce && bytes < bytesAtOnce {
		if !r.in.Scan() {
			w.err = r.end()
			return w
		}
		r.line++
		if len(r.in.Bytes()) == 0 {
			continue
		}
		payload := append([]byte(nil), r.in.Bytes()...)
		bytes += len(payload)
		at := len(w.payloads)
		if r.batch != "" {
			id := hive.BatchID(r.batch, r.skill, payload)
			if same, is := known[id]; is {
				w.lines = append(w.lines, line{r.line, same})
				continue
			}
			known[id] = at
			w.ids = append(w.ids, id)
		}
		w.payloads, w.first, w.lines = append(w.payloads, payload), append(w.first, r.line), append(w.lines, line{r.line, at})
	}
	return w
}

func (r *lineReader) end() error {
	err := r.in.Err()
	switch {
	case err == nil:
		return io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("%s: line %d: more than %d bytes: %w", r.name, r.line+1, hive.MaxPayload, hive.ErrTooLarge)
	}
	return inputError(r.name, err)
}

// lineWork puts lines on the road.
type lineWork struct {
	*app
	c     *client.Client
	task  hive.Task // of each of them
	order string

	mu                      sync.Mutex
	lines                   int // on the road
	completed, failed, left int // of those that are waited for
}

// refusedLine is a line that cannot be a task.
type refusedLine struct {
	number int
	err    error
}

func (e refusedLine) Error() string {
	return fmt.Sprintf("line %d: %v: neither it nor a line behind it is on the road", e.number, e.err)
}
func (e refusedLine) Unwrap() error { return e.err }

// refused reports an error that is about a line, and has the window end before it.
func (w *window) refused(err error) (refusedLine, bool) {
	bad, ok := errors.AsType[*client.TaskError](err)
	if !ok {
		return refusedLine{}, false
	}
	r := refusedLine{w.first[bad.Index], bad.Err}
	w.cut(bad.Index)
	return r, true
}

// submit puts the lines of a window on the road and prints their ids.
func (lw *lineWork) submit(ctx context.Context, w *window) error {
	tasks := make([]hive.Task, len(w.payloads))
	for i, payload := range w.payloads {
		tasks[i] = lw.task
		tasks[i].Payload = payload
		if w.ids != nil {
			tasks[i].ID = w.ids[i]
		}
	}
	ids, err := lw.c.SubmitMany(ctx, tasks)
	if bad, is := w.refused(err); is {
		return cmp.Or(lw.submit(ctx, w), error(bad))
	}
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
	o := client.MapOptions{Task: lw.task, IDs: w.ids}
	if asTheyAreDone {
		o.Over = func(at int, r *hive.Record) {
			for _, i := range of[at] {
				errPrint = errors.Join(errPrint, lw.print(w.lines[i].number, r))
			}
		}
	}
	records, err := lw.c.Map(ctx, o, w.payloads)
	if bad, is := w.refused(err); is {
		return cmp.Or(lw.run(ctx, w, turn), error(bad))
	}
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
func (lw *lineWork) submitAll(ctx context.Context, windows <-chan *window) error {
	for {
		w, err := take(ctx, windows)
		if err == nil {
			err = cmp.Or(lw.submit(ctx, w), w.err)
		}
		if err != nil {
			return ended(err)
		}
	}
}

// runAll runs windows, some at once. An error ends the reading. One that is about a line is no
// fault of those before it; any other ends them as well.
func (lw *lineWork) runAll(ctx context.Context, windows <-chan *window) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var flying sync.WaitGroup
	over := make(chan error, windowsAtOnce) // of windows that ended the reading
	free, turn := make(chan struct{}, windowsAtOnce), make(chan struct{})
	close(turn)
	var err error
	for err == nil {
		select {
		case err = <-over:
			continue
		case free <- struct{}{}:
		}
		var w *window
		if w, err = take(ctx, windows); err != nil {
			break
		}
		mine, next := turn, make(chan struct{})
		turn, err = next, w.err
		flying.Go(func() {
			defer close(next)
			err := lw.run(ctx, w, mine)
			if err != nil {
				if _, is := errors.AsType[refusedLine](err); !is {
					stop(err)
				}
				over <- err
			}
			<-free
		})
	}
	flying.Wait()
	select {
	case first := <-over:
		err = first
	default:
	}
	return ended(err)
}

// take is the next window, or why there is none.
func take(ctx context.Context, windows <-chan *window) (*window, error) {
	select {
	case w := <-windows:
		return w, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
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
		ctx, stop := context.WithCancel(ctx)
		defer stop() // the reading
		if !wait {
			err := lw.submitAll(ctx, in.windows(ctx))
			a.say("%s on the road%s", plural(lw.lines, "line is", "lines are"), again(err, f))
			return err
		}
		l := lookout{app: a, road: road, lane: laneLike(road, &t), clear: func() {}}
		err := l.waiting(ctx, func(ctx context.Context) error { return lw.runAll(ctx, in.windows(ctx)) })
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
