package spore

import (
	"errors"
	"slices"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/runtime"
)

// Bundles tells of an event of an [Updater]; it is for [UpdaterOptions.Audit].
func (t *Trail) Bundles(e Event) {
	for _, entry := range bundleEntries(e) {
		t.Tell(entry)
	}
}

// bundleEntries are what the audit log is told of an event: each version that is new,
// or gone, or the refusal.
func bundleEntries(e Event) (entries []audit.Entry) {
	if e.Err != nil {
		return []audit.Entry{bundleRefusal(e)}
	}
	for _, run := range e.Running {
		if slices.Contains(e.Before, run) {
			continue
		}
		fields := map[string]string{"digest": run.Digest}
		if at := slices.IndexFunc(e.Before, func(b bundle.Run) bool { return b.Bundle == run.Bundle }); at >= 0 {
			fields["before"] = e.Before[at].Version
		}
		entries = append(entries, audit.Entry{Action: "bundle.install", Subject: run.Bundle + "@" + run.Version, Outcome: audit.OK, Fields: fields})
	}
	for _, run := range e.Before {
		if !slices.ContainsFunc(e.Running, func(r bundle.Run) bool { return r.Bundle == run.Bundle }) {
			entries = append(entries, audit.Entry{Action: "bundle.remove", Subject: run.Bundle + "@" + run.Version, Outcome: audit.OK,
				Fields: map[string]string{"digest": run.Digest}})
		}
	}
	return entries
}

func bundleRefusal(e Event) audit.Entry {
	entry := audit.Entry{Action: "bundle.refuse", Outcome: audit.Refused, Reason: e.Reason, Fields: map[string]string{"text": e.Err.Error()}}
	if cause, ok := errors.AsType[*bundle.Error](e.Err); ok {
		entry.Subject = cause.What
	}
	if !e.Retry.IsZero() {
		entry.Fields["retry"] = e.Retry.UTC().Format(time.RFC3339)
	}
	return entry
}

// Denied tells, once for each skill and function, that a skill used what it is not
// granted.
func (t *Trail) Denied(skill hive.SkillID, function, task string) {
	fields := map[string]string{"function": function, "task": task}
	if grant := hostfuncs.GrantOf(function); grant != "" {
		fields["grant"] = string(grant)
	}
	t.tellOnce("deny "+skill.String()+" "+function,
		audit.Entry{Action: "grant.deny", Subject: skill.String(), Outcome: audit.Refused, Reason: "denied", Fields: fields})
}

// Refused tells, once for each program, that a skill's program cannot run at all.
// Other errors are not the program's fault, and are not told.
func (t *Trail) Refused(skill *hive.Skill, err error) {
	refusal, ok := errors.AsType[*runtime.Refusal](err)
	if !ok {
		return
	}
	t.tellOnce("refuse "+skill.ID().String()+" "+skill.Digest,
		audit.Entry{Action: "skill.refuse", Subject: skill.ID().String(), Outcome: audit.Refused, Reason: "cannot_run",
			Fields: map[string]string{"digest": skill.Digest, "text": refusal.Reason}})
}
