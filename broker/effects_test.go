package broker_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

// space is the namespace of the echo skill.
const space = "s.echo"

func set(key, value string) hive.KVEffect {
	return hive.KVEffect{Op: hive.KVSet, Space: space, Key: key, Value: []byte(value)}
}

func brief(key, value string, ttl time.Duration) hive.KVEffect {
	e := set(key, value)
	e.TTL = ttl
	return e
}

func del(key string) hive.KVEffect { return hive.KVEffect{Op: hive.KVDelete, Space: space, Key: key} }

func add(key string, n int64) hive.KVEffect {
	return hive.KVEffect{Op: hive.KVAdd, Space: space, Key: key, Delta: n}
}

func expect(key, value string) hive.KVEffect {
	return hive.KVEffect{Op: hive.KVExpect, Space: space, Key: key, Value: []byte(value)}
}

func absent(key string) hive.KVEffect {
	return hive.KVEffect{Op: hive.KVExpect, Space: space, Key: key, Absent: true}
}

func withKV(kv ...hive.KVEffect) *hive.Outcome {
	return &hive.Outcome{Result: []byte("done"), Effects: hive.Effects{KV: kv}}
}

// commit completes an attempt on spore "a" with effects on keys.
func (r *road) commit(a hive.Attempt, kv ...hive.KVEffect) error {
	return r.Complete(r.ctx(), "a", &a, withKV(kv...))
}

// given completes a task of its own that leaves keys behind.
func (r *road) given(kv ...hive.KVEffect) {
	r.t.Helper()
	if r.giver == nil {
		r.giver = r.join("giver")
	}
	a := r.running(r.giver)
	r.check(r.Complete(r.ctx(), "giver", &a, withKV(kv...)))
}

const none = "\x00none"

// wantKV checks what keys hold and, none of them being expired, that the index
// says so.
func (r *road) wantKV(keyValues ...string) {
	r.t.Helper()
	for i := 0; i < len(keyValues); i += 2 {
		key, want := keyValues[i], keyValues[i+1]
		value, found, err := r.KV().Get(r.ctx(), space, key)
		r.check(err)
		got := string(value)
		if !found {
			got = none
		}
		if got != want {
			r.t.Fatalf("%q holds %q, want %q", key, got, want)
		}
		listed := r.do("ZSCORE", "ki:"+space, key)
		if listed == "0" != found {
			r.t.Fatalf("%q is in the index: %q, found: %v", key, listed, found)
		}
	}
}

func TestEffectsAreBounded(t *testing.T) {
	onRoads(t, func(r *road) {
		a := r.running(r.join("a"))
		many := make([]hive.KVEffect, hive.MaxEffects+1)
		for i := range many {
			many[i] = set(fmt.Sprint(i), "x")
		}
		tooLong := strings.Repeat("k", hive.MaxKVKey+1)
		half := strings.Repeat("v", hive.MaxKVValue)
		foreign, timeless, unheard := set("k", "v"), brief("k", "v", -1), del("k")
		foreign.Space, unheard.Op = "s.echo:x", 'Z'
		for name, test := range map[string]struct {
			kv   []hive.KVEffect
			want error
		}{
			"many":      {many, hive.ErrTooLarge},
			"key":       {[]hive.KVEffect{set("k", "v"), del(tooLong)}, hive.ErrTooLarge},
			"value":     {[]hive.KVEffect{set("k", half+"v")}, hive.ErrTooLarge},
			"bytes":     {[]hive.KVEffect{set("k", half), set("k", half), set("k", half), set("k", half)}, hive.ErrTooLarge},
			"no key":    {[]hive.KVEffect{del("")}, hive.ErrEffect},
			"not UTF-8": {[]hive.KVEffect{del("\xff")}, hive.ErrEffect},
			"namespace": {[]hive.KVEffect{foreign}, hive.ErrEffect},
			"ttl":       {[]hive.KVEffect{timeless}, hive.ErrEffect},
			"operation": {[]hive.KVEffect{unheard}, hive.ErrEffect},
			"delta":     {[]hive.KVEffect{add("n", hive.MaxKVSum+1)}, hive.ErrEffect},
		} {
			if err := r.commit(a, test.kv...); !errors.Is(err, test.want) {
				r.t.Errorf("%s: Complete = %v, want %v", name, err, test.want)
			}
		}
		child := echo("")
		child.Timeout = 0
		o := &hive.Outcome{Effects: hive.Effects{Spawn: []hive.Task{child}}}
		if err := r.Complete(r.ctx(), "a", &a, o); !errors.Is(err, hive.ErrEffect) {
			r.t.Errorf("Complete with a task that cannot be = %v", err)
		}
		r.want(a.Task.ID, hive.Running, 1, 0)
		r.wantKV("k", none, "n", none)
		r.check(r.commit(a, many[:hive.MaxEffects]...))
		keys, err := r.KV().List(r.ctx(), space, "", "", 2*hive.MaxEffects)
		if len(keys) != hive.MaxEffects || err != nil {
			r.t.Errorf("List = %d keys, %v, want %d", len(keys), err, hive.MaxEffects)
		}
	})
}

func TestEffectSums(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		const most = "9007199254740992"
		for _, test := range []struct {
			held string
			add  []int64
			want string // "": it cannot be done
		}{
			{none, []int64{0}, "0"},
			{none, []int64{-5, 3}, "-2"},
			{"-7", []int64{7}, "0"},
			{"9007199254740991", []int64{1}, most},
			{most, []int64{-1}, "9007199254740991"},
			{most, []int64{1}, ""},
			{most, []int64{1, -1}, ""},
			{most, []int64{-hive.MaxKVSum, -hive.MaxKVSum}, "-" + most},
			{"-" + most, []int64{-1}, ""},
			{"-" + most, []int64{hive.MaxKVSum, hive.MaxKVSum}, most},
			{"1", []int64{hive.MaxKVSum}, ""},
			{"9007199254740993", []int64{-9}, ""},
			{"99999999999999999999", []int64{1}, ""},
			{"", []int64{1}, ""},
			{" 1", []int64{1}, ""},
			{"+1", []int64{1}, ""},
			{"01", []int64{1}, ""},
			{"-0", []int64{1}, ""},
			{"1e3", []int64{1}, ""},
			{"0x10", []int64{1}, ""},
			{"1.0", []int64{1}, ""},
			{"nan", []int64{1}, ""},
			{"inf", []int64{1}, ""},
			{"1\x00", []int64{1}, ""},
		} {
			r.given(del("n"), del("other"))
			if test.held != none {
				r.given(set("n", test.held))
			}
			a := r.running(s)
			kv := []hive.KVEffect{set("other", "x")}
			for _, n := range test.add {
				kv = append(kv, add("n", n))
			}
			err := r.commit(a, kv...)
			if test.want != "" {
				r.check(err)
				r.wantKV("n", test.want, "other", "x")
				continue
			}
			if !errors.Is(err, hive.ErrEffect) || !strings.Contains(err.Error(), `to "n" of s.echo`) {
				r.t.Fatalf("%q and %v: Complete = %v", test.held, test.add, err)
			}
			r.wantKV("n", test.held, "other", none)
			r.want(a.Task.ID, hive.Running, 1, 0)
			r.check(r.commit(a, set("other", "x"))) // the attempt still holds the task
		}
	})
}

// TestForeignIndex: what stands in the place of an index gives way.
func TestForeignIndex(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		a := r.running(s)
		r.do("SET", "ki:"+space, "text")
		r.check(r.commit(a, add("n", 1)))
		if got := r.do("GET", "odd:ki:"+space); got != "text" {
			r.t.Errorf("moved aside is %q", got)
		}
		if got := r.do("GET", "kv:"+space+":n"); got != "1" {
			r.t.Errorf("the key holds %q, want 1", got)
		}
	})
}
