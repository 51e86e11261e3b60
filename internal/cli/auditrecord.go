package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"time"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

// record puts an entry into the audit log, if one is configured. It is left beside the
// log first: whoever holds that, this process or another, takes it in.
func (a *app) record(e audit.Entry) error {
	if err := a.configure(); err != nil {
		return err
	}
	dir := a.cfg.Audit.Dir
	if dir == "" {
		return nil
	}
	e.Actor = cmp.Or(e.Actor, person())
	n, err := audit.NewNote(e, time.Now())
	if err == nil {
		err = audit.Leave(dir, n)
	}
	if err != nil {
		return fmt.Errorf("%s %s is not recorded: %w", e.Action, e.Subject, err)
	}
	in, err := audit.OpenIntake(dir, audit.Options{})
	if errors.Is(err, audit.ErrLocked) {
		return nil
	}
	if err == nil {
		err = errors.Join(in.Spool(), in.Close())
	}
	if err != nil {
		return fmt.Errorf("%s %s is not recorded yet: %w", e.Action, e.Subject, err)
	}
	return nil
}

// recorded is record for what was tried and ended with err, which it returns with what
// went wrong with the record. Without err, the thing is done all the same.
func (a *app) recorded(e audit.Entry, err error) error {
	e.Outcome = audit.OK
	if err != nil {
		e.Outcome, e.Reason = audit.Failed, bundle.Reason(err)
		if e.Reason != "" && !slices.Contains([]string{bundle.ReasonDisk, bundle.ReasonNoSpace, bundle.ReasonStopped}, e.Reason) {
			e.Outcome = audit.Refused
		}
		if e.Fields == nil {
			e.Fields = map[string]string{}
		}
		e.Fields["text"] = err.Error()
	}
	return errors.Join(err, a.record(e))
}

// person is who runs this, as an actor.
func person() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return "user/" + name + "@" + host
}

// whole is a path by which others find a file too.
func whole(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
