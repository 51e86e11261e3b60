package hive

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLimitValidate(t *testing.T) {
	t.Parallel()
	good := Limit{Rate: 100, Per: time.Second, Burst: 10, Running: 5}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		mutate func(*Limit)
		want   string // "" : it is right
	}{
		{"only running", func(l *Limit) { l.Rate, l.Per, l.Burst = 0, 0, 0 }, ""},
		{"only a rate", func(l *Limit) { l.Burst, l.Running = 0, 0 }, ""},
		{"the fastest", func(l *Limit) { l.Rate, l.Burst = MaxRate, MaxRate }, ""},
		{"the slowest", func(l *Limit) { l.Rate, l.Per, l.Burst = 1, MaxLimitTime, 1 }, ""},
		{"nothing", func(l *Limit) { *l = Limit{} }, "a limit on everything: want a rate, a number that may run, or both"},
		{"less than none running", func(l *Limit) { l.Running = -1 }, "running -1: want 1 to 1000000"},
		{"a rate below 0", func(l *Limit) { l.Rate = -1 }, "rate -1: want 1 to 1000000 tasks"},
		{"burst without a rate", func(l *Limit) { l.Rate, l.Per = 0, 0 }, "burst 10: want a rate, too"},
		{"burst above the rate", func(l *Limit) { l.Burst = 101 }, "burst 101: want 1 to 100, the tasks of 1s"},
		{"no time", func(l *Limit) { l.Per = 0 }, "a rate per 0s: want 1ms"},
		{"half a millisecond", func(l *Limit) { l.Per = 1500 * time.Microsecond }, "in whole milliseconds"},
		{"longer than a month", func(l *Limit) { l.Per = MaxLimitTime + time.Hour }, "a rate per 721h0m0s: want"},
		{"too fast", func(l *Limit) { l.Rate, l.Per = 2000, time.Millisecond }, "a rate of 2000 per 1ms: want at most 1000000 a second"},
		{"skill and tenant", func(l *Limit) { l.Skill, l.Tenant = "a", "b" }, "want one of them"},
	} {
		l := good
		test.mutate(&l)
		err := l.Validate()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

func TestLimitContradicts(t *testing.T) {
	t.Parallel()
	fetch := Scope{Skill: "fetch"}
	all := Limit{LimitScope: LimitScope{Scope: fetch}, Rate: 10, Per: time.Second, Running: 5}
	for _, test := range []struct {
		beside Limit
		want   string
	}{
		{Limit{LimitScope: LimitScope{fetch, true}, Rate: 1, Per: time.Second, Running: 5}, ""},
		{Limit{LimitScope: LimitScope{fetch, true}, Running: 6}, "skill fetch per key: 6 running, but skill fetch: 5 running; the first would hold nothing back"},
		{Limit{LimitScope: LimitScope{fetch, true}, Rate: 1000, Per: time.Minute}, "skill fetch per key: 1000/m, but skill fetch: 10/s; the first would hold nothing back"},
		{Limit{LimitScope: LimitScope{PerKey: true}, Running: 6}, ""},
		{Limit{Running: 4}, "skill fetch: 5 running, but everything: 4 running; the first would hold nothing back"},
		{Limit{Running: 5, Rate: 1000, Per: time.Second}, ""},
		{Limit{LimitScope: LimitScope{Scope: fetch}, Running: 6}, ""},
	} {
		for _, err := range []error{test.beside.Contradicts(all), all.Contradicts(test.beside)} {
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
				t.Errorf("%+v beside %+v: %v, want %q", test.beside, all, err, test.want)
			}
		}
	}
}

func TestLimitDepth(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		limit    Limit
		interval time.Duration
		depth    int
	}{
		{Limit{Running: 1}, 0, 0},
		{Limit{Rate: 1, Per: time.Hour}, time.Hour, 1},
		{Limit{Rate: 3, Per: time.Second}, 333333334, 1},
		{Limit{Rate: 1000, Per: time.Second}, time.Millisecond, 100},
		{Limit{Rate: 1000, Per: time.Second, Burst: 7}, time.Millisecond, 7},
		{Limit{Rate: 50, Per: time.Millisecond}, 20 * time.Microsecond, 5000},
	} {
		if i, d := test.limit.Interval(), test.limit.Depth(); i != test.interval || d != test.depth {
			t.Errorf("%+v: one per %v, %d at once; want %v, %d", test.limit, i, d, test.interval, test.depth)
		}
	}
}

// What a limit says of its rate can be said to it.
func TestRateText(t *testing.T) {
	t.Parallel()
	for text, per := range map[string]time.Duration{"100/s": time.Second, "5/90s": 90 * time.Second, "1/m": time.Minute, "3/h": time.Hour,
		"10/d": 24 * time.Hour, "10/2d": 48 * time.Hour, "7/36h": 36 * time.Hour, "2/ms": time.Millisecond, "2/1500ms": 1500 * time.Millisecond} {
		rate, got, ok := ParseRate(text)
		if !ok || got != per {
			t.Errorf("ParseRate(%q) = %d, %v, %v, want %v", text, rate, got, ok, per)
		}
		if back := (Limit{Rate: rate, Per: got}).RateText(); back != text {
			t.Errorf("RateText of %q = %q", text, back)
		}
	}
	for _, bad := range []string{"", "5", "5/", "/s", "x/s", "5/x", "5/-2d", "5/99999999d", "5/us"} {
		if _, _, ok := ParseRate(bad); ok {
			t.Errorf("ParseRate(%q) = ok", bad)
		}
	}
}

func TestLimitsOn(t *testing.T) {
	t.Parallel()
	flow := Flow{Limits: map[LimitScope]Limit{}}
	for _, s := range []Scope{{}, {Skill: "fetch"}, {Tenant: "acme"}} {
		for _, perKey := range []bool{false, true} {
			flow.Limits[LimitScope{s, perKey}] = Limit{LimitScope: LimitScope{s, perKey}}
		}
	}
	for _, test := range []struct {
		skill, tenant, key string
		want               string
	}{
		{"fetch", "acme", "k", "everything, each key, skill fetch, skill fetch per key, tenant acme, tenant acme per key"},
		{"fetch", "", "k", "everything, each key, skill fetch, skill fetch per key"},
		{"fetch", "acme", "", "everything, skill fetch, tenant acme"},
		{"other", "other", "", "everything"},
		{"", "", "", "everything"},
	} {
		var got []string
		for _, l := range flow.LimitsOn(test.skill, test.tenant, test.key) {
			got = append(got, l.LimitScope.String())
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("LimitsOn(%q, %q, %q) = %q, want %q", test.skill, test.tenant, test.key, got, test.want)
		}
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	good := []string{"", "example.com:443", "user@example.com", "a/b_c~d+e=f-g", "[::1]:80", strings.Repeat("x", 253)}
	for _, key := range slices.Concat(good, []string{"a|b", "a b", "\n", "ü", strings.Repeat("x", 254)}) {
		if err := CheckKey(key); (err == nil) != slices.Contains(good, key) {
			t.Errorf("CheckKey(%q) = %v", key, err)
		}
	}
}
