package ota

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

// maxSights bounds what is told of all rollouts, in bytes.
const maxSights = 256 << 10

// Sight is what the nexus that leads saw last of a bundle's rollout, for people.
type Sight struct {
	To     bundle.Ref `json:"to"`
	Step   int        `json:"step"`
	Window Window     `json:"window"`
	Time   time.Time  `json:"time"`
}

// EncodeSights returns what ParseSights reads. Of more than fits some are left out.
func EncodeSights(sights map[string]Sight) ([]byte, error) {
	names := slices.Sorted(maps.Keys(sights))
	for {
		some := make(map[string]Sight, len(names))
		for _, name := range names {
			some[name] = sights[name]
		}
		data, err := json.Marshal(some)
		if err != nil || len(data) <= maxSights {
			return data, err
		}
		names = names[:len(names)/2]
	}
}

// ParseSights reads what was told of rollouts, by bundle; nothing is nothing.
func ParseSights(data []byte) (map[string]Sight, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if len(data) > maxSights {
		return nil, fmt.Errorf("what is told of rollouts: %d bytes, at most %d allowed: %w", len(data), maxSights, hive.ErrTooLarge)
	}
	var sights map[string]Sight
	if err := json.Unmarshal(data, &sights); err != nil {
		return nil, fmt.Errorf("what is told of rollouts: %w", err)
	}
	return sights, nil
}

// Judge has every rollout advance by what was seen of it, unless somebody changed it
// since. Where nothing changes told is empty.
func (p Plan) Judge(sights map[string]Sight, now time.Time) (next Plan, told []audit.Entry) {
	next = p
	for _, name := range slices.Sorted(maps.Keys(sights)) {
		r, sight := p.Bundles[name].Rollout, sights[name]
		if r == nil || r.To != sight.To || r.Step != sight.Step {
			continue
		}
		after, e, changed := next.Advance(name, sight.Window, now)
		if changed {
			next, told = after, append(told, e)
		}
	}
	return next, told
}

// Judge is [Plan.Judge] of the plan that lies here.
func (d *Desk) Judge(sights map[string]Sight, now time.Time) (told []audit.Entry, err error) {
	p, err := d.Load()
	if err != nil {
		return nil, err
	}
	if _, told := p.Judge(sights, now); len(told) == 0 {
		return nil, nil
	}
	_, _, err = d.Change(func(p Plan) (Plan, audit.Entry, error) {
		p, told = p.Judge(sights, now)
		return p, audit.Entry{}, nil
	})
	if err != nil {
		told = nil // it did not come to pass
	}
	return told, err
}

// Rolling reports whether there is a rollout to be watched.
func (p Plan) Rolling() bool {
	for _, line := range p.Bundles {
		if line.Rollout.rolling() {
			return true
		}
	}
	return false
}

// rolling reports whether somebody has a rollout that has not ended.
func (r *Rollout) rolling() bool { return r != nil && !r.Ended() && r.Step > 0 }

// Watches watch all rollouts of a plan that somebody has.
type Watches struct {
	// Bundle reads a bundle that is or was in the repository.
	Bundle func(name string, ref bundle.Ref) (*bundle.Bundle, error)

	list map[string]*Watch
}

// Look takes what the spores report now: the nodes, and what they have seen as it came
// from the road. What is no report is left out. A rollout whose bundles cannot be read
// is told of in the error, and has no sight.
func (ws *Watches) Look(p Plan, nodes []hive.Node, bodies map[string][]byte, now time.Time) (map[string]Sight, error) {
	reports := map[string]*hive.Seen{}
	for id, body := range bodies {
		if seen, err := hive.ParseSeen(body); err == nil {
			reports[id] = seen
		}
	}
	sights, watched := map[string]Sight{}, map[string]*Watch{}
	var errs []error
	for name, line := range p.Bundles {
		r := line.Rollout
		if !r.rolling() {
			continue
		}
		w, err := ws.watch(name, r)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		watched[name] = w
		sights[name] = Sight{To: r.To, Step: r.Step, Window: w.Look(r, nodes, reports, now), Time: now.UTC()}
	}
	ws.list = watched
	return sights, errors.Join(errs...)
}

func (ws *Watches) watch(name string, r *Rollout) (*Watch, error) {
	if w := ws.list[name]; w != nil && w.Of(r) {
		return w, nil
	}
	var from *bundle.Bundle
	if r.From != nil {
		var err error
		if from, err = ws.read(name, *r.From); err != nil {
			return nil, err
		}
	}
	to, err := ws.read(name, r.To)
	if err != nil {
		return nil, err
	}
	return NewWatch(from, to), nil
}

func (ws *Watches) read(name string, ref bundle.Ref) (*bundle.Bundle, error) {
	b, err := ws.Bundle(name, ref)
	if err == nil && b.Digest() != ref.Digest {
		err = errors.New("the repository has another one")
	}
	if err != nil {
		return nil, fmt.Errorf("watch the rollout of %s@%s: %w", name, ref.Version, err)
	}
	return b, nil
}
