package hostfuncs

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
)

// far is an offset beyond any memory.
const far = 1 << 40

// plugin calls the functions of the module as a guest does.
type plugin struct {
	testing.TB
	attempt *Attempt
	log     bytes.Buffer
}

func newPlugin(t testing.TB, o ExtismOptions, grants ...hive.Grant) *plugin {
	p := &plugin{TB: t}
	p.attempt = &Attempt{Grants: grants, Log: &p.log, Extism: NewExtism(o)}
	return p
}

// try calls a function and returns its result, or the fault that ended the guest.
func (p *plugin) try(name string, params ...uint64) (result uint64, failed string) {
	p.Helper()
	defer func() {
		switch f := recover().(type) {
		case nil:
		case fault:
			failed = f.Error()
		default:
			panic(f)
		}
	}()
	for _, f := range extismFunctions {
		if f.name == name {
			stack := append(params, make([]uint64, len(f.result))...)
			inAttempt(f.call)(With(context.Background(), p.attempt), stack)
			if f.result == "" {
				return 0, ""
			}
			return stack[0], ""
		}
	}
	p.Fatalf("no function %s", name)
	return 0, ""
}

func (p *plugin) call(name string, params ...uint64) uint64 {
	p.Helper()
	result, failed := p.try(name, params...)
	if failed != "" {
		p.Fatalf("%s(%v) failed: %s", name, params, failed)
	}
	return result
}

func (p *plugin) wantCall(want uint64, name string, params ...uint64) {
	p.Helper()
	if got := p.call(name, params...); got != want {
		p.Errorf("%s(%v) = %d, want %d", name, params, got, want)
	}
}

func (p *plugin) wantFault(want, name string, params ...uint64) {
	p.Helper()
	if _, got := p.try(name, params...); !strings.Contains(got, want) || got == "" {
		p.Errorf("%s(%v) failed: %q, want %q", name, params, got, want)
	}
}

// text puts a text into a block, byte by byte.
func (p *plugin) text(s string) uint64 {
	p.Helper()
	offset := p.call("alloc", uint64(len(s)))
	for i := range len(s) {
		p.call("store_u8", offset+uint64(i), uint64(s[i]))
	}
	return offset
}

// textAt returns what the block at offset holds.
func (p *plugin) textAt(offset uint64) string {
	p.Helper()
	s := make([]byte, p.call("length", offset))
	for i := range s {
		s[i] = byte(p.call("load_u8", offset+uint64(i)))
	}
	return string(s)
}

func (p *plugin) wantFinish(code int32, result, failure string) {
	p.Helper()
	size := p.attempt.Extism.ResultSize()
	got, failed := p.attempt.Extism.Finish(code)
	if string(got) != result || failed != failure {
		p.Errorf("Finish(%d) = %q, %q, want %q, %q", code, got, failed, result, failure)
	}
	if failed == "" && size != int64(len(got)) {
		p.Errorf("ResultSize() = %d, want %d", size, len(got))
	}
}

func TestExtismOutput(t *testing.T) {
	p := newPlugin(t, ExtismOptions{Payload: []byte("in")})
	block := p.text("hello bees")
	p.call("output_set", block, 10)
	p.wantFinish(0, "hello bees", "")
	p.call("output_set", block+6, 4)
	p.wantCall(4, "output_length")
	p.wantCall(block+6, "output_offset")
	for _, out := range [][2]uint64{{0, 0}, {0, 1}, {block, far}, {far, 0}, {block, math.MaxUint64}} {
		p.call("output_set", out[0], out[1])
		p.wantFinish(0, "bees", "")
	}
	p.wantFinish(7, "", "returned 7")
	p.call("output_set", block, 0)
	p.wantFinish(0, "", "")
}

func TestExtismError(t *testing.T) {
	p := newPlugin(t, ExtismOptions{})
	block := p.text("no \xff bees")
	p.call("output_set", block, 2)
	p.call("error_set", block)
	p.wantCall(block, "error_get")
	p.wantFinish(0, "", "no \uFFFD bees")
	p.wantFinish(1, "", "no \uFFFD bees")
	p.call("error_set", far)
	p.wantCall(block, "error_get")
	p.call("error_set", block+1) // no block, so no message
	p.wantFinish(2, "", "returned 2")
	p.call("error_set", 0)
	p.wantFinish(0, "no", "")
	p.call("error_set", p.text(strings.Repeat("ü", hive.MaxMessage)))
	if got := p.attempt.Extism.Message(); len(got) > hive.MaxMessage || !strings.HasSuffix(got, "ü…") {
		t.Errorf("a long message is clipped to %d bytes, …%q", len(got), got[len(got)-8:])
	}
}

func TestExtismOutsideOfAPlugin(t *testing.T) {
	p := &plugin{TB: t}
	for _, f := range extismFunctions {
		p.wantFault("extism:host/env is for Extism plugins only", f.name, make([]uint64, len(f.params))...)
	}
}

func TestValueTypes(t *testing.T) {
	want := []api.ValueType{api.ValueTypeI64, api.ValueTypeI32}
	if got := valueTypes("LI"); !bytes.Equal(got, want) {
		t.Errorf("valueTypes(LI) = %v, want %v", got, want)
	}
}
