package broker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// The hash flow has a field for each pause, limit and weight. Its first letter says which;
// behind it stand nothing for all tasks, "s:SKILL" or "t:TENANT", but for a weight ":TENANT".
const (
	fieldPause    = "p"
	fieldLimit    = "l"
	fieldKeyLimit = "k" // a limit per key
	fieldWeight   = "w:"

	// maxFlow bounds the fields: the foreman reads all of them, anew whenever one changes.
	maxFlow = 10_000
)

// Pause keeps the tasks of a scope from being given to spores, until a time by Redis' clock
// or, if that is zero, until Resume. A nexus that leads heeds it at once.
func (b *Broker) Pause(ctx context.Context, s hive.Scope, until time.Time) error {
	text := "0"
	if !until.IsZero() {
		text = strconv.FormatInt(until.UnixMilli(), 10)
	}
	_, err := b.changeFlow(ctx, "pause", fieldPause, s, text)
	return err
}

// Resume ends a pause. It returns ErrNotFound if there is none.
func (b *Broker) Resume(ctx context.Context, s hive.Scope) error {
	before, err := b.changeFlow(ctx, "resume", fieldPause, s, "")
	if err == nil && before == "" {
		err = fmt.Errorf("%s is not paused: %w", s, hive.ErrNotFound)
	}
	return err
}

// SetLimit begins a limit, or changes it. A nexus that leads heeds it at once; what spores
// hold already goes on, and counts. One that contradicts another is refused.
func (b *Broker) SetLimit(ctx context.Context, l hive.Limit) error {
	if err := l.Validate(); err != nil {
		return err
	}
	flow, err := b.Flow(ctx)
	if err != nil {
		return err
	}
	for _, other := range flow.Limits {
		if err := l.Contradicts(other); err != nil {
			return fmt.Errorf("limit: %w", err)
		}
	}
	text := fmt.Sprintf("%d %d %d %d", l.Rate, l.Per.Milliseconds(), l.Burst, l.Running)
	_, err = b.changeFlow(ctx, "limit", limitField(l.PerKey), l.Scope, text)
	return err
}

// RemoveLimit ends a limit. It returns ErrNotFound if there is none.
func (b *Broker) RemoveLimit(ctx context.Context, s hive.LimitScope) error {
	before, err := b.changeFlow(ctx, "remove limit", limitField(s.PerKey), s.Scope, "")
	if err == nil && before == "" {
		err = fmt.Errorf("%s has no limit: %w", s, hive.ErrNotFound)
	}
	return err
}

func limitField(perKey bool) string {
	if perKey {
		return fieldKeyLimit
	}
	return fieldLimit
}

// scopeField spells a scope behind the letter of a field.
func scopeField(s hive.Scope) string {
	switch {
	case s.Skill != "":
		return "s:" + s.Skill
	case s.Tenant != "":
		return "t:" + s.Tenant
	}
	return ""
}

// readScope is scopeField backwards.
func readScope(text string) (s hive.Scope, ok bool) {
	kind, name, named := strings.Cut(text, ":")
	switch {
	case text == "":
		return s, true
	case kind == "s":
		s.Skill = name
	case kind == "t":
		s.Tenant = name
	default:
		return s, false
	}
	return s, named && name != "" && s.Validate() == nil
}

// SetWeight says what share a tenant gets beside others whose tasks wait at the same
// priority.
func (b *Broker) SetWeight(ctx context.Context, tenant string, weight int) error {
	if err := hive.CheckTenant(tenant); err != nil {
		return err
	}
	if err := hive.CheckWeight(weight); err != nil {
		return err
	}
	text := ""
	if weight != 1 {
		text = strconv.Itoa(weight)
	}
	_, err := b.setFlow(ctx, "weigh", fieldWeight+tenant, text)
	return err
}

func (b *Broker) changeFlow(ctx context.Context, what, letter string, s hive.Scope, text string) (before string, err error) {
	if err := s.Validate(); err != nil {
		return "", err
	}
	return b.setFlow(ctx, what, letter+scopeField(s), text)
}

func (b *Broker) setFlow(ctx context.Context, what, field, text string) (before string, err error) {
	reply, err := b.run(ctx, scriptFlow, field, text, maxFlow).Result()
	if err != nil {
		return "", b.wrap(what, err)
	}
	before, ok := reply.(string)
	if !ok {
		return "", fmt.Errorf("%s: there are %d pauses, limits and weights already: end some first", what, maxFlow)
	}
	return before, nil
}

// Flow returns what holds tasks back, and how tenants share. Pauses that are over may be
// among it.
func (b *Broker) Flow(ctx context.Context) (hive.Flow, error) {
	pipe := b.rdb.Pipeline()
	fields, now := pipe.HGetAll(ctx, b.keys.flow()), b.clock(ctx, pipe)
	if _, err := pipe.Exec(ctx); err != nil {
		return hive.Flow{}, b.wrap("read pauses, limits and weights", err)
	}
	ms, err := now.Int64()
	if err != nil {
		return hive.Flow{}, b.wrap("ask for the time", err)
	}
	f := hive.Flow{At: time.UnixMilli(ms), Pauses: map[hive.Scope]hive.Pause{}, Weights: map[string]int{}, Limits: map[hive.LimitScope]hive.Limit{}}
	for field, text := range fields.Val() {
		readFlow(&f, field, text)
	}
	return f, nil
}

// readFlow enters a field; one that nobody has written is passed over.
func readFlow(f *hive.Flow, field, text string) {
	if tenant, is := strings.CutPrefix(field, fieldWeight); is {
		if n, err := strconv.Atoi(text); err == nil && hive.CheckWeight(n) == nil {
			f.Weights[tenant] = n
		}
		return
	}
	if field == "" {
		return
	}
	s, ok := readScope(field[1:])
	if !ok {
		return
	}
	switch letter := field[:1]; letter {
	case fieldPause:
		if p, ok := readPause(text); ok {
			p.Scope = s
			f.Pauses[s] = p
		}
	case fieldLimit, fieldKeyLimit:
		if l, ok := readLimit(text); ok {
			l.LimitScope = hive.LimitScope{Scope: s, PerKey: letter == fieldKeyLimit}
			f.Limits[l.LimitScope] = l
		}
	}
}

func readPause(text string) (p hive.Pause, ok bool) {
	until, since, _ := strings.Cut(text, " ")
	p.Until, ok = readMoment(until)
	p.Since, _ = readMoment(since)
	return p, ok
}

// readMoment reads Unix ms; 0 is the zero time.
func readMoment(text string) (time.Time, bool) {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms < 0 {
		return time.Time{}, false
	}
	if ms == 0 {
		return time.Time{}, true
	}
	return time.UnixMilli(ms), true
}

func readLimit(text string) (l hive.Limit, ok bool) {
	words := strings.Split(text, " ")
	if len(words) != 4 {
		return l, false
	}
	per := 0
	for i, n := range []*int{&l.Rate, &per, &l.Burst, &l.Running} {
		var err error
		if *n, err = strconv.Atoi(words[i]); err != nil {
			return l, false
		}
	}
	l.Per = time.Duration(min(max(per, 0), int(2*hive.MaxLimitTime.Milliseconds()))) * time.Millisecond
	return l, l.Validate() == nil
}
