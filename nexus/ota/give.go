package ota

import (
	"maps"
	"slices"
	"time"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

// maxPins bounds the versions that are kept beside the current one.
const maxPins = 16

// Give has all spores run a bundle at once, without steps and without a gate: who asks
// for it answers for it. With a time it goes by itself then. What all run already they
// go on with.
func (p Plan) Give(q Request, until, now time.Time) (Plan, audit.Entry, error) {
	if q.Bundle == nil {
		q.Bundle = &bundle.Bundle{}
	}
	to, name := refOf(q.Bundle), q.Bundle.Name
	line := p.Bundles[name]
	if line.has(to) && to.Digest != "" {
		line.Until = until
		return p.put(name, line, now), entry("give", q.Bundle.String(), nil, ReasonByHand, ""), nil
	}
	q.Steps, q.Rules = []Step{{Percent: 100}}, DefaultRules()
	err := p.admits(q, line, to, now)
	next := p
	if err == nil {
		line.Rollout = &Rollout{From: line.Current, To: to, Steps: q.Steps, Step: 1, State: Done, Reason: ReasonByHand, Stepped: now, Rules: q.Rules}
		line.Updated, line.Until = now, until
		next = p.with(name, line, now)
		err = next.fits()
	}
	if err != nil {
		return p, entry("give", q.Bundle.String(), err, "", ""), err
	}
	return next, entry("give", q.Bundle.String(), nil, ReasonByHand, ""), nil
}

// has reports whether all spores run a version, and nothing is about to change that.
func (l Line) has(to bundle.Ref) bool {
	return l.Current != nil && *l.Current == to && (l.Rollout == nil || l.Rollout.Ended())
}

// Drop takes a bundle from all spores, whatever its rollout is at.
func (p Plan) Drop(name string, now time.Time) (Plan, audit.Entry, error) {
	if _, known := p.Bundles[name]; !known {
		err := refuse(ReasonNotNow, "drop: no spore is to run a bundle %.80q", name)
		return p, entry("drop", name, err, "", ""), err
	}
	return p.without(name, now), entry("drop", name, nil, ReasonByHand, ""), nil
}

// Expire drops the bundles whose time is over. Without one told is false.
func (p Plan) Expire(now time.Time) (next Plan, told []audit.Entry) {
	next = p
	for _, name := range slices.Sorted(maps.Keys(p.Bundles)) {
		if until := p.Bundles[name].Until; !until.IsZero() && !now.Before(until) {
			next = next.without(name, now)
			told = append(told, entry("drop", name, nil, ReasonExpired, ""))
		}
	}
	return next, told
}

func (p Plan) without(name string, now time.Time) Plan {
	gone := p.Bundles[name].assignments(name)
	next := Plan{p.Generation, maps.Clone(p.Bundles), p.Denied}
	delete(next.Bundles, name)
	if len(gone) > 0 {
		next.Generation = p.after(now)
	}
	return next
}

// Pin keeps a version of a bundle on all spores, beside the one that rollouts change:
// for tasks that name it.
func (p Plan) Pin(name string, ref bundle.Ref, now time.Time) (Plan, audit.Entry, error) {
	line, subject := p.Bundles[name], name+"@"+ref.Version
	var err error
	switch {
	case p.Denied[ref.Digest] != "":
		err = refuse(ReasonDenied, "pin of %s: it was rolled back before (%s)", subject, p.Denied[ref.Digest])
	case slices.Contains(line.Pins, ref):
		return p, entry("pin", subject, nil, ReasonByHand, ""), nil
	case line.other(ref):
		err = refuse(ReasonInvalid, "pin of %s: spores run or have pinned another digest of this version: unpin it, or raise the version", subject)
	case len(line.Pins) >= maxPins:
		err = refuse(ReasonInvalid, "pin of %s: %d versions are pinned, at most %d allowed; unpin one", subject, len(line.Pins), maxPins)
	}
	next := p
	if err == nil {
		line.Pins = append(slices.Clone(line.Pins), ref)
		next = p.put(name, line, now)
		err = next.fits()
	}
	if err != nil {
		return p, entry("pin", subject, err, "", ""), err
	}
	return next, entry("pin", subject, nil, ReasonByHand, ""), nil
}

// other reports whether spores are to run the same version with another digest: a set
// that gives both cannot be signed, and with it none of any bundle.
func (l Line) other(ref bundle.Ref) bool {
	refs := slices.Clone(l.Pins)
	if l.Current != nil {
		refs = append(refs, *l.Current)
	}
	if l.Rollout != nil && !l.Rollout.Ended() {
		refs = append(refs, l.Rollout.To)
	}
	return slices.ContainsFunc(refs, func(r bundle.Ref) bool { return r.Version == ref.Version && r.Digest != ref.Digest })
}

// Unpin ends what Pin began.
func (p Plan) Unpin(name, version string, now time.Time) (Plan, audit.Entry, error) {
	line, subject := p.Bundles[name], name+"@"+version
	at := slices.IndexFunc(line.Pins, func(pin bundle.Ref) bool { return pin.Version == version })
	if at < 0 {
		err := refuse(ReasonNotNow, "unpin: %s is not pinned", subject)
		return p, entry("unpin", subject, err, "", ""), err
	}
	line.Pins = slices.Delete(slices.Clone(line.Pins), at, at+1)
	return p.put(name, line, now), entry("unpin", subject, nil, ReasonByHand, ""), nil
}
