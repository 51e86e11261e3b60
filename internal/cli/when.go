package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
)

// keepFlags say how long a task is kept, and which key is its own.
type keepFlags struct {
	retain, uniqueFor time.Duration
	unique            string
	given             func(flag string) bool
}

func (f *keepFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.DurationVar(&f.retain, "retain", 0, "keep the task so long once it is over (default: queue.retention)")
	flags.StringVar(&f.unique, "unique", "", "a key that one task has at a time: if another has it, print that one's id and submit nothing")
	flags.DurationVar(&f.uniqueFor, "unique-for", 0, "hold the key so long, whatever becomes of the task (default: until it is over)")
	f.given = flags.Changed
}

// enter puts them into a task.
func (f *keepFlags) enter(t *hive.Task) error {
	var errRetain, errUnique error
	if f.given("retain") && f.retain < hive.MinRetain {
		errRetain = fmt.Errorf("--retain %v: want %v to %v", f.retain, hive.MinRetain, hive.MaxRetain)
	}
	if f.given("unique") && f.unique == "" || f.given("unique-for") && f.uniqueFor < time.Millisecond {
		errUnique = errors.New("--unique, --unique-for: want a key that is not empty, and a time of 1ms or more")
	}
	t.Retain, t.Unique, t.UniqueFor = f.retain, f.unique, f.uniqueFor
	return errors.Join(errRetain, errUnique)
}

// whenFlags say when a task is to be done, and what keepFlags do.
type whenFlags struct {
	keepFlags
	delay        time.Duration
	at, deadline string
}

func (f *whenFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.DurationVar(&f.delay, "delay", 0, "begin no sooner than so long from now, such as 90s")
	flags.StringVar(&f.at, "at", "", "begin no sooner than at a time, such as 2030-01-31T08:00:00Z or, by this machine's zone, \"2030-01-31 08:00\"")
	flags.StringVar(&f.deadline, "deadline", "", "begin no attempt after a time, or so long from now; the task has failed then")
	f.keepFlags.add(cmd)
}

// timed reports whether they depend on the time of day.
func (f *whenFlags) timed() bool { return f.given("delay") || f.given("at") || f.given("deadline") }

// enterAt is enter at the time that the road's clock shows, if they depend on it.
func (f *whenFlags) enterAt(ctx context.Context, c *client.Client, t *hive.Task) error {
	var now time.Time
	if f.timed() {
		var err error
		if now, err = c.Now(ctx); err != nil {
			return err
		}
	}
	return f.enter(t, now)
}

// enter puts them into a task. They are by the clock of the road, which says now. Everything
// that is wrong is reported at once.
func (f *whenFlags) enter(t *hive.Task, now time.Time) error {
	var errDelay, errAt, errDeadline error
	switch {
	case f.given("delay") && f.given("at"):
		errDelay = errors.New("--delay and --at: want one of them")
	case f.given("delay") && f.delay < time.Millisecond:
		errDelay = fmt.Errorf("--delay %v: want 1ms or more", f.delay)
	case f.given("delay"):
		t.RunAt = now.Add(f.delay)
	case f.given("at"):
		t.RunAt, errAt = parseMoment("--at", f.at)
	}
	if f.given("deadline") {
		t.Deadline, errDeadline = parseUntil("--deadline", f.deadline, now)
	}
	err := errors.Join(errDelay, errAt, errDeadline, f.keepFlags.enter(t))
	if err == nil {
		full := t.WithDefaults()
		err = full.ValidateAt(now)
	}
	if err != nil {
		return usageError{err}
	}
	return nil
}

// moments are how people write a time; the first names its zone, the others are by this
// machine's.
var moments = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"}

// parseMoment reads a point in time that a flag was given.
func parseMoment(flag, text string) (time.Time, error) {
	for _, layout := range moments {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s %q: want a time such as 2030-01-31T08:00:00Z or \"2030-01-31 08:00\"", flag, text)
}

// parseUntil reads a point in time, or how long it is until it.
func parseUntil(flag, text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d), nil
	}
	at, err := parseMoment(flag, text)
	if err != nil {
		err = fmt.Errorf("%w, or a time from now such as 90m", err)
	}
	return at, err
}
