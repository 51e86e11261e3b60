package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/config"
)

// taskFlags shape a task.
type taskFlags struct {
	priority string
	require  string
	tenant   string
	key      string
	timeout  time.Duration
	retries  int
	backoff  hive.Backoff
	given    func(flag string) bool
}

func (f *taskFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.priority, "priority", "background", "0 (last) to 10 (first), high or background")
	cmd.Flags().StringVar(&f.require, "require", "", `tags a spore must have, such as "gpu=true,zone in (eu,us),!spot,mem_gb>=16"`)
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "on whose behalf: tenants share the spores by their weights (nexus tenants)")
	cmd.Flags().StringVar(&f.key, "key", "", "what limits per key count the task under, such as the host it asks (nexus limits)")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "end of one attempt, such as 90s (default: queue.task_timeout)")
	cmd.Flags().IntVar(&f.retries, "retries", 0, "failures a task survives (default: queue.max_retries)")
	cmd.Flags().DurationVar(&f.backoff.Base, "backoff", 0, "wait after the first failure; it doubles with each further one (default 1s)")
	cmd.Flags().DurationVar(&f.backoff.Max, "backoff-max", 0, "the longest such wait (default 10m)")
	cmd.Flags().Float64Var(&f.backoff.Jitter, "jitter", 0, "how much longer or shorter a wait may be, 0 to 1 of it (default 0.5)")
	f.given = cmd.Flags().Changed
}

// task returns a task of these flags, without skill and payload. Everything that
// is wrong is reported at once.
func (f *taskFlags) task(cfg *config.Config) (hive.Task, error) {
	priority, errPriority := cfg.ParsePriority(f.priority)
	require, errRequire := hive.ParseSelector(f.require)
	t := hive.Task{Priority: priority, Require: require, Tenant: f.tenant, Key: f.key, Timeout: f.timeout, Backoff: f.backoff}
	errBackoff := f.backoff.Validate()
	if f.given("jitter") && f.backoff.Jitter == 0 {
		t.Backoff.Jitter = hive.NoJitter
	}
	var errTimeout, errRetries error
	if f.given("timeout") && (f.timeout < time.Millisecond || f.timeout > hive.MaxTimeout) {
		errTimeout = fmt.Errorf("timeout %v: want 1ms to %v", f.timeout, hive.MaxTimeout)
	}
	switch {
	case !f.given("retries"):
	case f.retries < 0 || f.retries > hive.MaxRetries:
		errRetries = fmt.Errorf("retries %d: want 0 to %d", f.retries, hive.MaxRetries)
	case f.retries == 0:
		t.Retries = hive.NoRetries
	default:
		t.Retries = f.retries
	}
	if err := errors.Join(errPriority, errRequire, hive.CheckTenant(f.tenant), hive.CheckKey(f.key), errTimeout, errRetries, errBackoff); err != nil {
		return t, usageError{err}
	}
	return t, nil
}

func (a *app) submitCommand() *cobra.Command {
	var f taskFlags
	var when whenFlags
	var lines linesFlags
	var payload string
	var wait bool
	cmd := &cobra.Command{
		Use:   "submit SKILL",
		Short: "Put one task on the road, or one per line of a file",
		Long: `Put one task on the road and print its id, or with --wait its result; with --lines
one per line of a file that is not empty, whose results are lines of JSON.

SKILL is NAME, NAME@VERSION or NAME@sha256:DIGEST. A task whose skill or tags no
spore has waits until one has; nexus status says why it waits.`,
		Example: `  nexus submit wordcount --payload @README.md --wait
  echo '{"path":"a.py","text":"eval(x)"}' | nexus submit secscan --payload - --priority high
  nexus submit fetch --lines urls.jsonl --batch nightly --wait > pages.jsonl`,
		Args: wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := lines.check(wait); err != nil {
				return err
			}
			if err := a.configure(); err != nil {
				return err
			}
			t, err := f.task(a.cfg)
			if err != nil {
				return err
			}
			if t.Skill, err = hive.ParseSkillRef(args[0]); err != nil {
				return usageError{err}
			}
			if lines.given("lines") {
				return a.submitLines(cmd.Context(), t, &when, &lines, wait)
			}
			var rest io.ReadCloser
			if t.Payload, rest, err = a.openPayload(payload); err != nil {
				return err
			}
			defer rest.Close()
			return a.submit(cmd.Context(), t, rest, &when, wait)
		},
	}
	f.add(cmd)
	when.add(cmd)
	lines.add(cmd)
	cmd.Flags().StringVar(&payload, "payload", "", "TEXT, @FILE, or - for standard input")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for the task and print its result")
	return cmd
}

// readPayload reads TEXT, @FILE or - (standard input) into memory.
func (a *app) readPayload(arg string) ([]byte, error) {
	in, name, err := a.payloadFrom(arg)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return readAtMost(in, name, hive.MaxInline)
}

// openPayload reads the beginning of TEXT, @FILE or - (standard input), which is all unless
// that is long; the rest is read and closed by the caller.
func (a *app) openPayload(arg string) (head []byte, rest io.ReadCloser, err error) {
	in, name, err := a.payloadFrom(arg)
	if err != nil {
		return nil, nil, err
	}
	if head, err = readAtMost(io.LimitReader(in, hive.MaxInline), name, hive.MaxInline); err != nil {
		return nil, nil, errors.Join(err, in.Close())
	}
	return head, in, nil
}

// payloadFrom opens TEXT, @FILE or - (standard input), and says what people call it.
func (a *app) payloadFrom(arg string) (in io.ReadCloser, name string, err error) {
	switch {
	case arg == "-":
		return io.NopCloser(a.In), "standard input", nil
	case arg == "@":
		return nil, "", usagef(`--payload "@": want TEXT, @FILE, or - for standard input`)
	case strings.HasPrefix(arg, "@"):
		f, err := os.Open(arg[1:])
		if err != nil {
			return nil, "", inputError(arg[1:], err)
		}
		return f, arg[1:], nil
	}
	return io.NopCloser(strings.NewReader(arg)), "--payload", nil
}

// readAtMost reads one payload of at most so many bytes from what people call name.
func readAtMost(r io.Reader, name string, most int) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if bad, ok := errors.AsType[*os.PathError](err); ok {
		err = bad.Err // the name is said below
	}
	if err == nil && len(data) > most {
		err = fmt.Errorf("more than %d bytes: %w", most, hive.ErrTooLarge)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// submit submits a task whose payload goes on in rest.
func (a *app) submit(ctx context.Context, t hive.Task, rest io.Reader, when *whenFlags, wait bool) error {
	ready := func(c *client.Client) error {
		if err := when.enterAt(ctx, c, &t); err != nil {
			return err
		}
		return putRest(ctx, c, &t, rest)
	}
	if wait {
		t.ID = hive.NewID()
		return a.withWaiter(ctx, t.ID, func(ctx context.Context, c *client.Client) error {
			if err := ready(c); err != nil {
				return err
			}
			r, err := c.Run(ctx, t)
			if err != nil {
				return err
			}
			return a.showOutcome(ctx, c, r)
		})
	}
	return a.withClient(ctx, func(c *client.Client) error {
		if err := ready(c); err != nil {
			return err
		}
		return a.put(ctx, c, t)
	})
}

// putRest has a payload stand apart whose beginning alone is in memory.
func putRest(ctx context.Context, c *client.Client, t *hive.Task, rest io.Reader) (err error) {
	if len(t.Payload) < hive.MaxInline {
		return nil
	}
	if t.PayloadBlob, err = c.PutBlob(ctx, io.MultiReader(bytes.NewReader(t.Payload), rest)); err != nil {
		return fmt.Errorf("--payload: %w", err)
	}
	t.Payload = nil
	return nil
}

// put submits a task and prints its id, or that of the one that has its key.
func (a *app) put(ctx context.Context, c *client.Client, t hive.Task) error {
	t.ID = hive.NewID()
	id, err := c.Submit(ctx, t)
	if err != nil {
		return err
	}
	if id != t.ID {
		a.say("task %s has the key %q: nothing was submitted", id, safe(t.Unique))
	}
	if a.flags.json {
		return printJSON(a.Out, map[string]any{"task_id": id, "new": id == t.ID})
	}
	fmt.Fprintln(a.Out, id)
	return nil
}

// blobs is where results stand that stand apart.
type blobs interface {
	OpenBlob(context.Context, hive.Blob) io.Reader
}

// showOutcome prints the record of a finished task: as JSON whole, else its
// result, raw. A task that did not complete is errTaskFailed.
func (a *app) showOutcome(ctx context.Context, road blobs, r *hive.Record) error {
	if !r.ResultBlob.None() {
		in := road.OpenBlob(ctx, r.ResultBlob)
		if !a.flags.json && width(a.Out) == 0 {
			_, err := io.Copy(a.Out, in)
			return err
		}
		result, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		r.Result = result
	}
	var err error
	switch {
	case a.flags.json:
		err = printJSON(a.Out, newTaskView(r))
	case r.State == hive.Completed:
		err = a.writeResult(r.Result)
	default:
		a.sayEnd(r)
	}
	if r.State != hive.Completed {
		return errors.Join(err, errTaskFailed)
	}
	return err
}

// sayEnd says how a task ended.
func (a *app) sayEnd(r *hive.Record) {
	if r.Failure != nil && r.State != hive.Completed {
		a.say("task %s %s on attempt %d: %s", r.ID, r.State, r.Attempts, safe(r.Failure.String()))
		return
	}
	a.say("task %s is %s", r.ID, r.State)
}

// writeResult writes a result as it is, but to a terminal as lines that cannot
// steer it.
func (a *app) writeResult(b []byte) error {
	if width(a.Out) == 0 {
		_, err := a.Out.Write(b)
		return err
	}
	for line := range strings.Lines(string(b)) {
		fmt.Fprintln(a.Out, safe(strings.TrimRight(line, "\n")))
	}
	return nil
}

// writeLog writes an attempt's log, which a terminal must not obey.
func (a *app) writeLog(b []byte) {
	if width(a.Err) == 0 {
		_, _ = a.Err.Write(b)
		return
	}
	for line := range strings.Lines(string(b)) {
		fmt.Fprintln(a.Err, safe(strings.TrimRight(line, "\n")))
	}
}

// taskView is a task as --json shows it.
type taskView struct {
	ID         string          `json:"task_id"`
	Skill      string          `json:"skill"`
	Status     hive.State      `json:"status"`
	Priority   hive.Priority   `json:"priority"`
	Require    string          `json:"require,omitempty"`
	Tenant     string          `json:"tenant,omitempty"`
	Key        string          `json:"key,omitempty"`
	Attempts   int             `json:"attempts"`
	Failures   int             `json:"failures"`
	MaxRetries int             `json:"max_retries"`
	TimeoutMS  int64           `json:"timeout_ms"`
	Node       *string         `json:"assigned_node"`
	Ran        string          `json:"ran,omitempty"`
	RanDigest  string          `json:"ran_digest,omitempty"`
	Created    *time.Time      `json:"created_at"`
	Started    *time.Time      `json:"started_at"`
	Completed  *time.Time      `json:"completed_at"`
	Due        *time.Time      `json:"due_at,omitempty"`
	Deadline   *time.Time      `json:"deadline,omitempty"`
	RetainMS   int64           `json:"retain_ms,omitempty"`
	Unique     string          `json:"unique,omitempty"`
	Payload    hive.Blob       `json:"payload_blob,omitzero"` // if it stands apart
	Apart      hive.Blob       `json:"result_blob,omitzero"`  // likewise
	ElapsedUS  int64           `json:"elapsed_us,omitempty"`
	Receipt    hive.Receipt    `json:"receipt,omitzero"`
	Result     json.RawMessage `json:"result"` // null: none, or bytes that are no text, or it stands apart
	Base64     []byte          `json:"result_base64,omitempty"`
	Error      *hive.Failure   `json:"error"`
	Log        string          `json:"log,omitempty"`
	Why        string          `json:"why,omitempty"`
}

func newTaskView(r *hive.Record) taskView {
	v := taskView{
		ID: r.ID, Skill: r.Task.Skill.String(), Status: r.State, Priority: r.Priority, Require: r.Require.String(), Tenant: r.Tenant, Key: r.Key,
		Attempts: r.Attempts, Failures: r.Failures, MaxRetries: r.Retries, TimeoutMS: r.Timeout.Milliseconds(),
		Created: stamp(r.Created), Started: stamp(r.Started), Completed: stamp(r.Finished), Due: stamp(r.Due),
		Deadline: stamp(r.Deadline), RetainMS: r.Retain.Milliseconds(), Unique: r.Unique, Payload: r.PayloadBlob, Apart: r.ResultBlob,
		ElapsedUS: r.Elapsed.Microseconds(), Receipt: r.Receipt, Error: r.Failure, Log: strings.ToValidUTF8(string(r.Log), "\uFFFD"),
	}
	if r.Node != "" {
		v.Node = &r.Node
	}
	if r.Ran.Name != "" {
		v.Ran, v.RanDigest = r.Ran.String(), r.Ran.Digest
	}
	if r.State == hive.Completed && (r.ResultBlob.None() || r.Result != nil) {
		shown := newResult(r.Result)
		v.Result, v.Base64 = shown.JSON, shown.Base64
	}
	return v
}
