package hive

import (
	"errors"
	"fmt"
	"time"
)

// NoRetries as a Task's Retries makes its first failure final.
const NoRetries = -1

// Task is what a client wants done.
type Task struct {
	ID      string // empty: NewID
	Skill   SkillRef
	Payload []byte
	// PayloadBlob names the payload in place of Payload.
	PayloadBlob Blob
	Priority    Priority
	Require     Selector      // tags a spore must offer
	Timeout     time.Duration // of one attempt; 0: DefaultTimeout
	Retries     int           // failures it survives; 0: DefaultRetries
	Backoff     Backoff       // the wait after each of them

	RunAt    time.Time     // before it no attempt begins; to the millisecond
	Deadline time.Time     // after it no attempt begins: a task that waits then has failed
	Retain   time.Duration // how long it is kept once it is over; 0: queue.retention

	// Unique is a key that one task has at a time: who enqueues another gets the first
	// one's id. A task has it until it is over or, if UniqueFor is not 0, for so long,
	// whatever becomes of the task.
	Unique    string
	UniqueFor time.Duration

	// Tenant is on whose behalf it is done: tenants share spores by their weights.
	Tenant string
	// Key is what limits per key count it under, such as the host it is to ask.
	Key string

	// This is refused with ErrNotSupported until the road can keep it.
	Parents []string // ids of tasks that must complete first
}

// WithDefaults returns the task with its zero fields filled in.
func (t Task) WithDefaults() Task {
	if t.ID == "" {
		t.ID = NewID()
	}
	if t.Timeout == 0 {
		t.Timeout = DefaultTimeout
	}
	if t.Retries == 0 {
		t.Retries = DefaultRetries
	}
	return t
}

// Validate reports everything that is wrong with the task.
func (t *Task) Validate() error {
	return errors.Join(
		CheckID(t.ID),
		t.Skill.Validate(),
		t.Priority.Validate(),
		t.Require.check(),
		t.checkBounds(),
		t.PayloadBlob.Validate(),
		t.Backoff.Validate(),
		t.checkTimes(),
		t.checkUnique(),
		CheckTenant(t.Tenant),
		CheckKey(t.Key),
		t.checkSupported(),
	)
}

func (t *Task) checkBounds() error {
	var errs []error
	if t.Timeout < time.Millisecond || t.Timeout > MaxTimeout {
		errs = append(errs, fmt.Errorf("timeout %v: want 1ms to %v", t.Timeout, MaxTimeout))
	}
	if t.Retries < NoRetries || t.Retries > MaxRetries {
		errs = append(errs, fmt.Errorf("retries %d: want 0 to %d", t.Retries, MaxRetries))
	}
	if !t.PayloadBlob.None() && len(t.Payload) > 0 {
		errs = append(errs, errors.New("payload and blob: want one of them"))
	}
	if len(t.Payload) > MaxPayload {
		errs = append(errs, fmt.Errorf("payload: %d bytes, at most %d allowed: %w", len(t.Payload), MaxPayload, ErrTooLarge))
	}
	return errors.Join(errs...)
}

// earliest and latest bound what a RunAt or a Deadline can be.
var earliest, latest = time.UnixMilli(1), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

func (t *Task) checkTimes() error {
	var errs []error
	for _, at := range []struct {
		name string
		time time.Time
	}{{"run-at", t.RunAt}, {"deadline", t.Deadline}} {
		if !at.time.IsZero() && (at.time.Before(earliest) || at.time.After(latest)) {
			errs = append(errs, fmt.Errorf("%s %v: want a time from 1970 to 9999", at.name, at.time))
		}
	}
	if !t.RunAt.IsZero() && !t.Deadline.IsZero() && !t.RunAt.Before(t.Deadline) {
		errs = append(errs, fmt.Errorf("deadline %v: want one after the time the task is to begin, %v", t.Deadline, t.RunAt))
	}
	if t.Retain != 0 && (t.Retain < MinRetain || t.Retain > MaxRetain) {
		errs = append(errs, fmt.Errorf("retain %v: want %v to %v", t.Retain, MinRetain, MaxRetain))
	}
	return errors.Join(errs...)
}

// Timed reports whether the task depends on the time of day: ValidateAt wants that then.
func (t *Task) Timed() bool { return !t.RunAt.IsZero() || !t.Deadline.IsZero() }

// ValidateAt reports everything that is wrong with the task when it is submitted at a time:
// beside what Validate does, that it would begin at once although it names a time, or never.
func (t *Task) ValidateAt(now time.Time) error {
	errs := []error{t.Validate()}
	if !t.RunAt.IsZero() && t.RunAt.Before(now) {
		errs = append(errs, fmt.Errorf("run-at %v: that is past; leave it out for a task that is to begin now", t.RunAt.Format(time.RFC3339)))
	}
	if !t.Deadline.IsZero() && t.Deadline.Before(now) {
		errs = append(errs, fmt.Errorf("deadline %v: that is past: no attempt would begin", t.Deadline.Format(time.RFC3339)))
	}
	return errors.Join(errs...)
}

func (t *Task) checkUnique() error {
	switch {
	case t.Unique == "" && t.UniqueFor != 0:
		return errors.New("unique-for: want a unique key too, which it is to hold")
	case len(t.Unique) > MaxUnique:
		return fmt.Errorf("unique key: %d bytes, at most %d allowed", len(t.Unique), MaxUnique)
	case t.UniqueFor != 0 && (t.UniqueFor < time.Millisecond || t.UniqueFor > MaxRetain):
		return fmt.Errorf("unique-for %v: want 1ms to %v", t.UniqueFor, MaxRetain)
	}
	return nil
}

func (t *Task) checkSupported() error {
	var errs []error
	refuse := func(given bool, field string) {
		if given {
			errs = append(errs, fmt.Errorf("%s: %w", field, ErrNotSupported))
		}
	}
	refuse(len(t.Parents) > 0, "parents")
	return errors.Join(errs...)
}

// Attempt is one try of a task, handed to a spore with a lease.
type Attempt struct {
	Task     Task
	Number   int       // from 1; the fence
	Failures int       // of earlier attempts
	Created  time.Time // the task
	Started  time.Time
}

// Outcome is how an attempt ended: with a result, or with a failure.
type Outcome struct {
	Result []byte
	// ResultBlob names the result in place of Result.
	ResultBlob Blob

	Failure *Failure // nil: completed
	Log     []byte   // at most MaxLog
	Ran     SkillID  // the program that ran
	Elapsed time.Duration
	Receipt Receipt
	Effects Effects // to be done if it completed

	// Recording is what the attempt was told by its host, if it failed; only package
	// hostfuncs reads it. A record has none: Recorded is the attempt that the road
	// was given one of.
	Recording []byte
	Recorded  int
}

// Receipt is what an attempt used.
type Receipt struct {
	Fuel       int64         `json:"fuel"`        // units of work; see docs/abi.md
	PeakMemory int64         `json:"peak_memory"` // bytes of linear memory
	HostCalls  int64         `json:"host_calls"`  // calls of host functions
	BytesIn    int64         `json:"bytes_in"`    // of the payload
	BytesOut   int64         `json:"bytes_out"`   // of the result
	CPU        time.Duration `json:"cpu_ns"`      // processor time of the guest's thread
}

// Record is all the road knows of a task.
type Record struct {
	Task
	State    State
	Attempts int // attempts begun
	Failures int
	Node     string // spore of the last attempt
	Created  time.Time
	Started  time.Time // of the last attempt
	Finished time.Time
	Due      time.Time // when a scheduled task becomes pending
	Outcome
}

// Stats counts tasks. The two queues count what waits, assigned tasks included.
type Stats struct {
	High       int64 `json:"high_priority_queue"`
	Background int64 `json:"background_queue"`
	Scheduled  int64 `json:"tasks_scheduled"`
	Blocked    int64 `json:"tasks_blocked"`
	Pending    int64 `json:"tasks_pending"`
	Assigned   int64 `json:"tasks_assigned"`
	Running    int64 `json:"tasks_running"`
	Completed  int64 `json:"tasks_completed"` // since the hive began
	Failed     int64 `json:"tasks_failed"`    // since the hive began, less those retried by hand
	Cancelled  int64 `json:"tasks_cancelled"` // since the hive began
	Mended     int64 `json:"mended"`          // what did not agree on the road, since the hive began
	Foreign    int64 `json:"foreign"`         // values on the road that none of the hive wrote, likewise
}

// Zombie is a task that has been running for suspiciously long.
type Zombie struct {
	ID      string        `json:"task_id"`
	Node    string        `json:"node_id"`
	Elapsed time.Duration `json:"-"`
}
