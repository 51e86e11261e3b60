package broker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// The hash flow has a field for each pause and each weight: "p" for all, "ps:SKILL",
// "pt:TENANT" and "w:TENANT".
const (
	fieldPause  = "p"
	fieldSkill  = "ps:"
	fieldTenant = "pt:"
	fieldWeight = "w:"

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
	_, err := b.setFlow(ctx, "pause", s, text)
	return err
}

// Resume ends a pause. It returns ErrNotFound if there is none.
func (b *Broker) Resume(ctx context.Context, s hive.Scope) error {
	before, err := b.setFlow(ctx, "resume", s, "")
	if err == nil && before == "" {
		err = fmt.Errorf("%s is not paused: %w", s, hive.ErrNotFound)
	}
	return err
}

func (b *Broker) setFlow(ctx context.Context, what string, s hive.Scope, text string) (before string, err error) {
	if err := s.Validate(); err != nil {
		return "", err
	}
	field := fieldPause
	switch {
	case s.Skill != "":
		field = fieldSkill + s.Skill
	case s.Tenant != "":
		field = fieldTenant + s.Tenant
	}
	return b.changeFlow(ctx, what, field, text)
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
	_, err := b.changeFlow(ctx, "weigh", fieldWeight+tenant, text)
	return err
}

func (b *Broker) changeFlow(ctx context.Context, what, field, text string) (before string, err error) {
	reply, err := b.run(ctx, scriptFlow, field, text, maxFlow).Result()
	if err != nil {
		return "", b.wrap(what, err)
	}
	before, ok := reply.(string)
	if !ok {
		return "", fmt.Errorf("%s: there are %d pauses and weights already: end some first", what, maxFlow)
	}
	return before, nil
}

// Flow returns what holds tasks back, and how tenants share. Pauses that are over may be
// among it.
func (b *Broker) Flow(ctx context.Context) (hive.Flow, error) {
	fields, err := b.rdb.HGetAll(ctx, b.keys.flow()).Result()
	if err != nil {
		return hive.Flow{}, b.wrap("read pauses and weights", err)
	}
	f := hive.Flow{Pauses: map[hive.Scope]hive.Pause{}, Weights: map[string]int{}}
	for field, text := range fields {
		if tenant, is := strings.CutPrefix(field, fieldWeight); is {
			if n, err := strconv.Atoi(text); err == nil && hive.CheckWeight(n) == nil {
				f.Weights[tenant] = n
			}
			continue
		}
		if p, ok := readPause(field, text); ok {
			f.Pauses[p.Scope] = p
		}
	}
	return f, nil
}

func readPause(field, text string) (p hive.Pause, ok bool) {
	if skill, is := strings.CutPrefix(field, fieldSkill); is && skill != "" {
		p.Skill = skill
	} else if tenant, is := strings.CutPrefix(field, fieldTenant); is && tenant != "" {
		p.Tenant = tenant
	} else if field != fieldPause {
		return p, false
	}
	until, since, _ := strings.Cut(text, " ")
	p.Until, ok = readMoment(until)
	p.Since, _ = readMoment(since)
	return p, ok && p.Scope.Validate() == nil
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
