package hostfuncs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
)

// fakeKV is the road.
type fakeKV map[string]string // by space/key

func (kv fakeKV) Get(_ context.Context, space, key string) ([]byte, bool, error) {
	if key == "broken" {
		return nil, false, errors.New("the road is away")
	}
	v, ok := kv[space+"/"+key]
	return []byte(v), ok, nil
}

func (kv fakeKV) List(_ context.Context, space, prefix, after string, limit int) ([]string, error) {
	var keys []string
	for at := range kv {
		if key, ok := strings.CutPrefix(at, space+"/"); ok && strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys[:min(limit, len(keys))], nil
}

var bees = hive.SkillID{Name: "bees", Version: "1.0.0", Digest: "sha256:00"}

func all() []hive.Grant { return slices.Clone(hive.Grants) }

func TestKV(t *testing.T) {
	road := fakeKV{"s.bees/a": "1", "s.bees/text": "x", "s.bees/b": "2", "g.totals/n": "41"}
	b := newAsking(t, &Attempt{Grants: all(), Allow: hive.Allow{KV: []string{"totals"}}, KV: road, Skill: bees})
	b.gets("1", "kv_get", "", "a")
	b.wants(errAbsent, "kv_get", "", "none")
	b.wants(errDenied, "kv_get", "others", "a")
	b.wants(errUnavailable, "kv_get", "", "broken")
	b.wants(errInvalid, "kv_get", "", "")
	b.wants(errInvalid, "kv_get", "", "two\nlines")
	b.wants(errInvalid, "kv_get", "", strings.Repeat("k", hive.MaxKVKey+1))
	b.wants(0, "kv_set", "", "a", "new", 0)
	b.gets("new", "kv_get", "", "a")
	b.wants(0, "kv_set", "", "c", "with a time", 60)
	b.wants(0, "kv_delete", "", "b")
	b.wants(errAbsent, "kv_get", "", "b")
	b.gets("\x2a\x00\x00\x00\x00\x00\x00\x00", "kv_incr", "totals", "n", 1)
	b.gets("\x2b\x00\x00\x00\x00\x00\x00\x00", "kv_incr", "totals", "n", 1)
	b.gets("43", "kv_get", "totals", "n")
	b.wants(errInvalid, "kv_incr", "", "text", 1)
	b.wants(errInvalid, "kv_incr", "", "fresh", hive.MaxKVSum+1)
	b.wants(0, "kv_cas", "", "text", "y", "z", 0)
	b.wants(1, "kv_cas", "", "text", "x", "z", 0)
	b.wants(1, "kv_cas", "", "text", "z", "", casDelete)
	b.wants(1, "kv_cas", "", "text", "", "born", casAbsent)
	b.wants(0, "kv_cas", "", "text", "", "again", casAbsent)
	b.wants(errInvalid, "kv_cas", "", "text", "", "", 4)
	b.gets("a\nc\ntext\n", "kv_list", "", "", "", 10)
	b.gets("c\n", "kv_list", "", "", "a", 1)
	b.gets("text\n", "kv_list", "", "te", "", 10)
	b.wants(errInvalid, "kv_list", "", "", "", 0)

	want := []string{"S s.bees/a new", "S s.bees/c with a time 1m0s", "D s.bees/b", "A g.totals/n 1", "A g.totals/n 1",
		"E s.bees/text x", "S s.bees/text z", "D s.bees/text", "S s.bees/text born"}
	var got []string
	for _, e := range b.Effects().KV {
		line := fmt.Sprintf("%c %s/%s", e.Op, e.Space, e.Key)
		if len(e.Value) > 0 {
			line += " " + string(e.Value)
		}
		if e.Delta != 0 {
			line += fmt.Sprint(" ", e.Delta)
		}
		if e.TTL != 0 {
			line += fmt.Sprint(" ", e.TTL)
		}
		got = append(got, line)
	}
	if !slices.Equal(got, want) {
		t.Errorf("effects:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestKVListFindsWhatIsLeft: keys that the attempt deleted do not make a page short.
func TestKVListFindsWhatIsLeft(t *testing.T) {
	road := fakeKV{}
	for n := range 20 {
		road[fmt.Sprintf("s.bees/k%02d", n)] = "v"
	}
	b := newAsking(t, &Attempt{Grants: all(), KV: road, Skill: bees})
	for n := range 18 {
		b.wants(0, "kv_delete", "", fmt.Sprintf("k%02d", n))
	}
	b.gets("k18\nk19\n", "kv_list", "", "k", "", 2)
}

// TestOwnChangesAreSeen however many keys were read before.
func TestOwnChangesAreSeen(t *testing.T) {
	b := newAsking(t, &Attempt{Grants: all(), KV: fakeKV{}, Skill: bees})
	for n := range maxKeys + 1 {
		b.wants(errAbsent, "kv_get", "", fmt.Sprint("read", n))
	}
	b.wants(0, "kv_set", "", "set", "v", 0)
	b.gets("v", "kv_get", "", "set")
	b.gets("\x01\x00\x00\x00\x00\x00\x00\x00", "kv_incr", "", "sum", 1)
	b.gets("\x02\x00\x00\x00\x00\x00\x00\x00", "kv_incr", "", "sum", 1)
	b.wants(1, "kv_cas", "", "swapped", "", "born", casAbsent)
	b.gets("born", "kv_get", "", "swapped")
}

func TestEffectsAreBounded(t *testing.T) {
	b := newAsking(t, &Attempt{Grants: all(), KV: fakeKV{}, Skill: bees})
	for n := range hive.MaxEffects {
		b.wants(0, "kv_set", "", fmt.Sprint(n), "v", 0)
	}
	b.wants(errFull, "kv_set", "", "one more", "v", 0)
	b.wants(errFull, "kv_incr", "", "one more", 1)
	b = newAsking(t, &Attempt{Grants: all(), KV: fakeKV{}, Skill: bees})
	big := strings.Repeat("v", hive.MaxKVValue)
	for n := range 3 {
		b.wants(0, "kv_set", "", fmt.Sprint(n), big, 0)
	}
	b.wants(errFull, "kv_set", "", "more", big, 0)
	b.wants(errInvalid, "kv_set", "", "more", big+"v", 0)
}

func TestSpawn(t *testing.T) {
	b := newAsking(t, &Attempt{Grants: all(), Allow: hive.Allow{Spawn: []string{"summarize"}},
		Task: Task{ID: "d237", Priority: 7, Tenant: "acme"}, Skill: bees})
	b.gets("d237-0", "spawn", "summarize", "payload")
	b.gets("d237-1", "spawn", "summarize@1.2.3", "")
	b.wants(errDenied, "spawn", "secscan", "")
	b.wants(errInvalid, "spawn", "No Such Name", "")
	got := b.Effects().Spawn
	if len(got) != 2 || got[0].ID != "d237-0" || string(got[0].Payload) != "payload" || got[0].Priority != 7 || got[0].Tenant != "acme" || got[1].Skill.String() != "summarize@1.2.3" {
		t.Errorf("spawned %+v", got)
	}
	for i := range got {
		if err := got[i].Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestTask(t *testing.T) {
	b := newAsking(t, &Attempt{Skill: bees, Task: Task{ID: "d237", Attempt: 2, Spore: "eu-1", Tags: hive.Tags{"zone": "eu"}}})
	b.gets(`{"id":"d237","attempt":2,"spore":"eu-1","tags":{"zone":"eu"},"skill":"bees@1.0.0","digest":"sha256:00"}`, "task")
}

// listener takes what is emitted.
type listener struct {
	parts    []string
	progress []hive.Progress
	err      error
}

func (l *listener) Emit(_ context.Context, n int, data []byte) error {
	if l.err == nil {
		l.parts = append(l.parts, fmt.Sprintf("%d %s", n, data))
	}
	return l.err
}

func (l *listener) Progress(_ context.Context, p hive.Progress) error {
	l.progress = append(l.progress, p)
	return l.err
}

func TestEmit(t *testing.T) {
	var l listener
	b := newAsking(t, &Attempt{Grants: all(), Emitter: &l, Task: Task{Attempt: 3}})
	b.wants(0, "emit", "one")
	b.wants(0, "emit", "two")
	b.wants(errInvalid, "emit", strings.Repeat("x", hive.MaxPart+1))
	l.err = errors.New("the road is away")
	b.wants(errUnavailable, "emit", "three")
	l.err = nil
	b.wants(0, "emit", "three")
	if want := []string{"1 one", "2 two", "3 three"}; !slices.Equal(l.parts, want) {
		t.Errorf("emitted %q, want %q", l.parts, want)
	}
	b.wants(0, "progress", 1, 10, "begun")
	b.wants(0, "progress", 2, 10, "too soon after that") // dropped
	b.wants(0, "progress", 10, 10, "done")
	b.wants(errInvalid, "progress", 1, 1, "\xff")
	want := []hive.Progress{{Attempt: 3, Done: 1, Total: 10, Text: "begun"}, {Attempt: 3, Done: 10, Total: 10, Text: "done"}}
	if !slices.Equal(l.progress, want) {
		t.Errorf("progress %+v, want %+v", l.progress, want)
	}
	full := newAsking(t, &Attempt{Grants: all(), Emitter: &l})
	for range hive.MaxPartBytes / hive.MaxPart {
		full.wants(0, "emit", strings.Repeat("x", hive.MaxPart))
	}
	full.wants(errFull, "emit", "x")
	none := newAsking(t, &Attempt{Grants: all()})
	none.wants(errUnavailable, "emit", "x")
	none.wants(errUnavailable, "progress", 1, 1, "x")
}

// TestDenied: without its grant every function answers so, is counted, and logged
// once.
func TestDenied(t *testing.T) {
	var said bytes.Buffer
	b := newAsking(t, &Attempt{Log: &said})
	for _, f := range functions {
		if f.grant == "" {
			continue
		}
		params := make([]any, len(valueTypes(f.params)))
		for i := range params {
			params[i] = 1 << 31 // looked at by nobody
		}
		for range 3 {
			b.wants(errDenied, f.name, params...)
		}
		if n := b.Denied()[f.name]; n != 3 || strings.Count(said.String(), "warn: "+f.name+" is denied\n") != 1 {
			t.Errorf("%s: counted %d, logged %q", f.name, n, &said)
		}
	}
}

// FuzzFunctions: whatever a guest passes, no function panics or answers what is no
// error.
func FuzzFunctions(f *testing.F) {
	f.Add(uint8(0), uint64(0), uint64(1<<32-1), uint64(5), uint64(7), []byte("s.bees"))
	f.Add(uint8(4), uint64(1<<17), uint64(0), uint64(1<<63), uint64(1), []byte("\xff\x00"))
	f.Fuzz(func(t *testing.T, which uint8, p, q, r, s uint64, memory []byte) {
		b := newAsking(t, &Attempt{Grants: all(), Allow: hive.Allow{KV: []string{"totals"}, Spawn: []string{"bees"}},
			Log: new(bytes.Buffer), KV: fakeKV{"s.bees/a": "1"}, Emitter: &listener{}, Task: Task{ID: "d237"}, Skill: bees})
		b.module.Memory().Write(0, memory[:min(len(memory), 1<<16)])
		fn := functions[int(which)%len(functions)]
		types := valueTypes(fn.params)
		stack := make([]uint64, len(types)+1)
		for i := range types {
			stack[i] = []uint64{p, q, r, s}[i%4]
			if types[i] == api.ValueTypeI32 {
				stack[i] = uint64(uint32(stack[i]))
			}
		}
		fn.handler()(With(context.Background(), b.Attempt), b.module, stack)
		if answer := int32(uint32(stack[0])); answer < errUnavailable {
			t.Errorf("%s%v = %d", fn.name, stack, answer)
		}
	})
}
