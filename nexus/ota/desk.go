package ota

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

// PlanFile is the file of a repository's folder that holds its plan. It is no part of
// what is served: whoever may write the folder may decide among its bundles.
const PlanFile = "plan.json"

// maxPlanFile bounds it, in bytes: beside assignments it tells of what was.
const maxPlanFile = 16 << 20

// Desk is where a repository's plan lies. Several processes may change it: each reads
// what the one before wrote.
type Desk struct {
	repo *bundle.Repository
	path string
	term *term // nil: a person's
}

// NewDesk is the desk of the repository in a folder.
func NewDesk(repo *bundle.Repository, dir string) *Desk {
	return &Desk{repo: repo, path: filepath.Join(dir, PlanFile)}
}

// Load returns the plan. Where nothing was decided yet it is the zero one; one that
// cannot be read is never taken for that.
func (d *Desk) Load() (Plan, error) {
	var p Plan
	f, err := os.Open(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("read the plan: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPlanFile+1))
	if err != nil {
		return p, fmt.Errorf("read the plan: %w", err)
	}
	if err := parsePlan(data, &p); err != nil {
		return Plan{}, fmt.Errorf("%s: not a plan, or damaged (%w): put back a copy of it; without one nobody knows what spores are to run", d.path, err)
	}
	return p, nil
}

func parsePlan(data []byte, p *Plan) error {
	if len(data) > maxPlanFile {
		return fmt.Errorf("more than %d bytes", maxPlanFile)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows it")
	}
	return p.check()
}

// Change makes the plan what f returns, and returns that, while nobody else changes
// it. With an error of f it stays.
func (d *Desk) Change(f func(Plan) (Plan, audit.Entry, error)) (Plan, audit.Entry, error) {
	var next Plan
	var told audit.Entry
	err := d.repo.Alone(func() error {
		if err := d.claim(); err != nil {
			return err
		}
		was, err := d.Load()
		if err != nil {
			return err
		}
		if next, told, err = f(was); err != nil {
			return err
		}
		data, err := json.MarshalIndent(next, "", "\t")
		if err != nil {
			return err
		}
		if len(data) >= maxPlanFile {
			return refuse(ReasonInvalid, "the plan would have more than %d bytes: allow what need not be denied any more", maxPlanFile)
		}
		return bundle.WriteFile(d.path, append(data, '\n'))
	})
	return next, told, err
}

// Start begins a rollout, as [Plan.Start]; what runs now is looked up.
func (d *Desk) Start(q Request, now time.Time) (Plan, audit.Entry, error) {
	return d.ask(q, func(p Plan, q Request) (Plan, audit.Entry, error) { return p.Start(q, now) })
}

// Give has all spores run a bundle, as [Plan.Give]; what runs now is looked up.
func (d *Desk) Give(q Request, until, now time.Time) (Plan, audit.Entry, error) {
	return d.ask(q, func(p Plan, q Request) (Plan, audit.Entry, error) { return p.Give(q, until, now) })
}

// MayGive says what Give would say now, and changes nothing.
func (d *Desk) MayGive(q Request, until, now time.Time) (audit.Entry, error) {
	p, err := d.Load()
	if err != nil {
		return audit.Entry{}, err
	}
	if q.Running, err = d.running(p, q.Bundle.Name); err != nil {
		return audit.Entry{}, err
	}
	_, told, err := p.Give(q, until, now)
	return told, err
}

func (d *Desk) ask(q Request, f func(Plan, Request) (Plan, audit.Entry, error)) (Plan, audit.Entry, error) {
	return d.Change(func(p Plan) (_ Plan, _ audit.Entry, err error) {
		if q.Running, err = d.running(p, q.Bundle.Name); err != nil {
			return p, audit.Entry{}, err
		}
		return f(p, q)
	})
}

// running is the version of a bundle that a plan has as current; nil: none.
func (d *Desk) running(p Plan, name string) (*bundle.Bundle, error) {
	now := p.Bundles[name].Current
	if now == nil {
		return nil, nil
	}
	b, err := d.repo.Stored(name, *now)
	if err != nil {
		return nil, fmt.Errorf("the version that runs now: %w", err)
	}
	return b, nil
}
