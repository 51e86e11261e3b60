// Package schedule says when recurring tasks are due.
package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the leader's machine may have no database of time zones

	"github.com/netresearch/go-cron"
)

// Schedule is a cron line in a time zone.
type Schedule struct {
	times cron.Schedule
	zone  *time.Location
	// eachHour is of a line that is for every hour: it goes by the time that passes, not by
	// what clocks show.
	eachHour bool
}

// star is the bit of a field that is for all values.
const star = 1 << 63

var parser = cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// Parse reads a cron line of five fields or a word such as @daily or "@every 90m", in the zone
// of a name; the empty one is UTC. A line that is never due is an error.
func Parse(line, zone string) (*Schedule, error) {
	if zone == "Local" { // of which machine?
		return nil, errors.New(`time zone "Local": want a name such as UTC or Europe/Berlin`)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("time zone %.80q: want a name such as UTC or Europe/Berlin", zone)
	}
	if strings.Contains(line, "TZ=") {
		return nil, fmt.Errorf("schedule %.80q: the time zone is named apart from it", line)
	}
	times, err := parser.Parse(line)
	if err != nil {
		return nil, fmt.Errorf(`schedule %.80q: %w: want five fields such as "30 2 * * 1-5" (minute, hour, day, month, weekday), @daily or "@every 90m"`, line, err)
	}
	s := &Schedule{times: times, zone: loc, eachHour: true}
	if fields, ok := times.(*cron.SpecSchedule); ok {
		fields.Location, s.eachHour = loc, fields.Hour&star != 0
	}
	if s.Next(time.Now()).IsZero() {
		return nil, fmt.Errorf("schedule %q is never due: there is no such day", line)
	}
	return s, nil
}

// Next is when it is due next after a time. What falls into an hour that clocks skip is due
// as long after it begins; what falls into one that they repeat is due the first time only,
// unless it is for every hour.
func (s *Schedule) Next(after time.Time) time.Time {
	next := s.times.Next(after.In(s.zone))
	for !s.eachHour && repeated(next) {
		next = s.times.Next(next)
	}
	return next
}

// repeated reports whether clocks show a time again that they showed before.
func repeated(t time.Time) bool {
	if t.IsZero() {
		return false
	}
	_, now := t.Zone()
	_, before := t.Add(-3 * time.Hour).Zone()
	if before <= now {
		return false
	}
	earlier := t.Add(-time.Duration(before-now) * time.Second)
	return earlier.Format(time.DateTime) == t.Format(time.DateTime)
}
