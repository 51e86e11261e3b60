package hostfuncs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
)

// bench calls functions as a guest with two pages of memory would.
type bench struct {
	testing.TB
	module api.Module
	a      *Attempt
}

// twoPages is a module with nothing but a memory.
const twoPages = "\x00asm\x01\x00\x00\x00" + "\x05\x03\x01\x00\x02" + "\x07\x0a\x01\x06memory\x02\x00"

func newBench(t testing.TB, a *Attempt) *bench {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { r.Close(ctx) })
	m, err := r.Instantiate(ctx, []byte(twoPages))
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, m, a}
}

// ask calls a function. A string is put into memory and becomes two parameters.
func (b *bench) ask(name string, params ...any) int32 {
	b.Helper()
	at, stack := uint32(16), []uint64(nil)
	for _, p := range params {
		switch p := p.(type) {
		case string:
			b.module.Memory().WriteString(at, p)
			stack = append(stack, uint64(at), uint64(len(p)))
			at += uint32(len(p))
		case int:
			stack = append(stack, uint64(p))
		}
	}
	for _, f := range functions {
		if f.name == name {
			if len(stack) != len(f.params) {
				b.Fatalf("%s takes %d parameters, not %d", name, len(f.params), len(stack))
			}
			stack = append(stack, 0) // room for the result
			f.handler()(With(context.Background(), b.a), b.module, stack)
			return int32(uint32(stack[0]))
		}
	}
	b.Fatalf("no function %s", name)
	return 0
}

// want calls a function that must answer a number.
func (b *bench) want(answer int32, name string, params ...any) {
	b.Helper()
	if got := b.ask(name, params...); got != answer {
		b.Errorf("%s%.80q = %d, want %d (%q)", name, fmt.Sprint(params...), got, answer, b.a.answer)
	}
}

// says calls a function that must answer bytes.
func (b *bench) says(answer, name string, params ...any) {
	b.Helper()
	n := b.ask(name, params...)
	if int(n) != len(answer) || b.read(max(0, n)) != answer {
		b.Errorf("%s%.80q = %d %q, want %q", name, fmt.Sprint(params...), n, b.a.answer, answer)
	}
}

// read reads the answer, as a guest does.
func (b *bench) read(n int32) string {
	const at = 1 << 16
	if got := b.ask("answer_read", at, int(n), 0); got != n {
		b.Errorf("answer_read = %d, want %d", got, n)
	}
	text, _ := b.module.Memory().Read(at, uint32(n))
	return string(text)
}

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
	b := newBench(t, &Attempt{Grants: all(), Allow: hive.Allow{KV: []string{"totals"}}, KV: road, Skill: bees})
	b.says("1", "kv_get", "", "a")
	b.want(errAbsent, "kv_get", "", "none")
	b.want(errDenied, "kv_get", "others", "a")
	b.want(errUnavailable, "kv_get", "", "broken")
	b.want(errInvalid, "kv_get", "", "")
	b.want(errInvalid, "kv_get", "", "two\nlines")
	b.want(errInvalid, "kv_get", "", strings.Repeat("k", hive.MaxKVKey+1))
	b.want(0, "kv_set", "", "a", "new", 0)
	b.says("new", "kv_get", "", "a")
	b.want(0, "kv_set", "", "c", "with a time", 60)
	b.want(0, "kv_delete", "", "b")
	b.want(errAbsent, "kv_get", "", "b")
	b.says("\x2a\x00\x00\x00\x00\x00\x00\x00", "kv_incr", "totals", "n", 1)
	b.says("\x2b\x00\x00\x00\x00\x00\x00\x00", "kv_incr", "totals", "n", 1)
	b.says("43", "kv_get", "totals", "n")
	b.want(errInvalid, "kv_incr", "", "text", 1)
	b.want(errInvalid, "kv_incr", "", "fresh", hive.MaxKVSum+1)
	b.want(0, "kv_cas", "", "text", "y", "z", 0)
	b.want(1, "kv_cas", "", "text", "x", "z", 0)
	b.want(1, "kv_cas", "", "text", "z", "", casDelete)
	b.want(1, "kv_cas", "", "text", "", "born", casAbsent)
	b.want(0, "kv_cas", "", "text", "", "again", casAbsent)
	b.want(errInvalid, "kv_cas", "", "text", "", "", 4)
	b.says("a\nc\ntext\n", "kv_list", "", "", "", 10)
	b.says("c\n", "kv_list", "", "", "a", 1)
	b.says("text\n", "kv_list", "", "te", "", 10)
	b.want(errInvalid, "kv_list", "", "", "", 0)

	want := []string{"S s.bees/a new", "S s.bees/c with a time 1m0s", "D s.bees/b", "A g.totals/n 1", "A g.totals/n 1",
		"E s.bees/text x", "S s.bees/text z", "D s.bees/text", "S s.bees/text born"}
	var got []string
	for _, e := range b.a.Effects().KV {
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
	b := newBench(t, &Attempt{Grants: all(), KV: road, Skill: bees})
	for n := range 18 {
		b.want(0, "kv_delete", "", fmt.Sprintf("k%02d", n))
	}
	b.says("k18\nk19\n", "kv_list", "", "k", "", 2)
}

// TestOwnChangesAreSeen however many keys were read before.
func TestOwnChangesAreSeen(t *testing.T) {
	b := newBench(t, &Attempt{Grants: all(), KV: fakeKV{}, Skill: bees})
	for n := range maxKeys + 1 {
		b.want(errAbsent, "kv_get", "", fmt.Sprint("read", n))
	}
	b.want(0, "kv_set", "", "set", "v", 0)
	b.says("v", "kv_get", "", "set")
	b.says("\x01\x00\x00\x00\x00\x00\x00\x00", "kv_incr", "", "sum", 1)
	b.says("\x02\x00\x00\x00\x00\x00\x00\x00", "kv_incr", "", "sum", 1)
	b.want(1, "kv_cas", "", "swapped", "", "born", casAbsent)
	b.says("born", "kv_get", "", "swapped")
}

func TestEffectsAreBounded(t *testing.T) {
	b := newBench(t, &Attempt{Grants: all(), KV: fakeKV{}, Skill: bees})
	for n := range hive.MaxEffects {
		b.want(0, "kv_set", "", fmt.Sprint(n), "v", 0)
	}
	b.want(errFull, "kv_set", "", "one more", "v", 0)
	b.want(errFull, "kv_incr", "", "one more", 1)
	b = newBench(t, &Attempt{Grants: all(), KV: fakeKV{}, Skill: bees})
	big := strings.Repeat("v", hive.MaxKVValue)
	for n := range 3 {
		b.want(0, "kv_set", "", fmt.Sprint(n), big, 0)
	}
	b.want(errFull, "kv_set", "", "more", big, 0)
	b.want(errInvalid, "kv_set", "", "more", big+"v", 0)
}

func TestSpawn(t *testing.T) {
	b := newBench(t, &Attempt{Grants: all(), Allow: hive.Allow{Spawn: []string{"summarize"}},
		Task: Task{ID: "d237", Priority: 7}, Skill: bees})
	b.says("d237-0", "spawn", "summarize", "payload")
	b.says("d237-1", "spawn", "summarize@1.2.3", "")
	b.want(errDenied, "spawn", "secscan", "")
	b.want(errInvalid, "spawn", "No Such Name", "")
	got := b.a.Effects().Spawn
	if len(got) != 2 || got[0].ID != "d237-0" || string(got[0].Payload) != "payload" || got[0].Priority != 7 || got[1].Skill.String() != "summarize@1.2.3" {
		t.Errorf("spawned %+v", got)
	}
	for i := range got {
		if err := got[i].Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestTask(t *testing.T) {
	b := newBench(t, &Attempt{Skill: bees, Task: Task{ID: "d237", Attempt: 2, Spore: "eu-1", Tags: hive.Tags{"zone": "eu"}}})
	b.says(`{"id":"d237","attempt":2,"spore":"eu-1","tags":{"zone":"eu"},"skill":"bees@1.0.0","digest":"sha256:00"}`, "task")
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
	b := newBench(t, &Attempt{Grants: all(), Emitter: &l, Task: Task{Attempt: 3}})
	b.want(0, "emit", "one")
	b.want(0, "emit", "two")
	b.want(errInvalid, "emit", strings.Repeat("x", hive.MaxPart+1))
	l.err = errors.New("the road is away")
	b.want(errUnavailable, "emit", "three")
	l.err = nil
	b.want(0, "emit", "three")
	if want := []string{"1 one", "2 two", "3 three"}; !slices.Equal(l.parts, want) {
		t.Errorf("emitted %q, want %q", l.parts, want)
	}
	b.want(0, "progress", 1, 10, "begun")
	b.want(0, "progress", 2, 10, "too soon after that") // dropped
	b.want(0, "progress", 10, 10, "done")
	b.want(errInvalid, "progress", 1, 1, "\xff")
	want := []hive.Progress{{Attempt: 3, Done: 1, Total: 10, Text: "begun"}, {Attempt: 3, Done: 10, Total: 10, Text: "done"}}
	if !slices.Equal(l.progress, want) {
		t.Errorf("progress %+v, want %+v", l.progress, want)
	}
	full := newBench(t, &Attempt{Grants: all(), Emitter: &l})
	for range hive.MaxPartBytes / hive.MaxPart {
		full.want(0, "emit", strings.Repeat("x", hive.MaxPart))
	}
	full.want(errFull, "emit", "x")
	none := newBench(t, &Attempt{Grants: all()})
	none.want(errUnavailable, "emit", "x")
	none.want(errUnavailable, "progress", 1, 1, "x")
}

// TestDenied: without its grant every function answers so, is counted, and logged
// once.
func TestDenied(t *testing.T) {
	var said bytes.Buffer
	b := newBench(t, &Attempt{Log: &said})
	for _, f := range functions {
		if f.grant == "" {
			continue
		}
		params := make([]any, len(f.params))
		for i := range params {
			params[i] = 1 << 31 // looked at by nobody
		}
		for range 3 {
			b.want(errDenied, f.name, params...)
		}
		if n := b.a.Denied()[f.name]; n != 3 || strings.Count(said.String(), "warn: "+f.name+" is denied\n") != 1 {
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
		b := newBench(t, &Attempt{Grants: all(), Allow: hive.Allow{KV: []string{"totals"}, Spawn: []string{"bees"}},
			Log: new(bytes.Buffer), KV: fakeKV{"s.bees/a": "1"}, Emitter: &listener{}, Task: Task{ID: "d237"}, Skill: bees})
		b.module.Memory().Write(0, memory[:min(len(memory), 1<<16)])
		fn := functions[int(which)%len(functions)]
		stack := make([]uint64, len(fn.params)+1)
		for i := range fn.params {
			stack[i] = []uint64{p, q, r, s}[i%4]
			if fn.params[i] == 'I' {
				stack[i] = uint64(uint32(stack[i]))
			}
		}
		fn.handler()(With(context.Background(), b.a), b.module, stack)
		if answer := int32(uint32(stack[0])); answer < errUnavailable {
			t.Errorf("%s%v = %d", fn.name, stack, answer)
		}
	})
}
