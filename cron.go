package hive

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// CatchUp says what becomes of times that passed while no nexus led.
type CatchUp string

// The ways to catch up.
const (
	CatchUpOnce CatchUp = "once" // one task for all of them
	CatchUpSkip CatchUp = "skip" // none
	CatchUpAll  CatchUp = "all"  // a task for each, the last MaxCatchUp
)

// CatchUps are all of them.
var CatchUps = []CatchUp{CatchUpOnce, CatchUpSkip, CatchUpAll}

// MaxCatchUp bounds the tasks that CatchUpAll makes at once.
const MaxCatchUp = 1000

// Cron makes a task again and again.
type Cron struct {
	Name     string // 1 to 48 of a-z, 0-9 and '-', beginning with a letter
	Schedule string // five fields, or a word such as @daily or "@every 90m"
	Zone     string // such as Europe/Berlin; empty: UTC
	CatchUp  CatchUp
	Task     Task // each of them, but for its ID; RunAt and Deadline are empty

	// Last is the time up to which it has been looked after: the last that was due, or when it
	// was added. The road keeps it.
	Last time.Time
}

// maxSchedule bounds a schedule's text and a zone's name in bytes.
const maxSchedule = 255

// Validate reports everything that is wrong with it, but for what its schedule and zone mean.
func (c *Cron) Validate() error {
	errs := []error{checkName("cron", c.Name)}
	if len(c.Schedule) > maxSchedule || len(c.Zone) > maxSchedule {
		errs = append(errs, fmt.Errorf("schedule and time zone: %d and %d bytes, at most %d allowed", len(c.Schedule), len(c.Zone), maxSchedule))
	}
	if !slices.Contains(CatchUps, c.CatchUp) {
		errs = append(errs, fmt.Errorf("catch-up %.80q: want one of %v", c.CatchUp, CatchUps))
	}
	if c.Task.Timed() {
		errs = append(errs, errors.New("a cron's task can have no time of its own"))
	}
	if len(c.Task.Payload) > MaxInline || !c.Task.PayloadBlob.None() {
		errs = append(errs, fmt.Errorf("payload of %d bytes: that of a cron has at most %d: %w", max(int64(len(c.Task.Payload)), c.Task.PayloadBlob.Size), MaxInline, ErrTooLarge))
	}
	t := c.Task.WithDefaults()
	return errors.Join(append(errs, t.Validate())...)
}
