package hostfuncs

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hive-spore/hive"
)

// grantee calls functions as a guest with 3 MiB of memory would.
type grantee struct {
	testing.TB
	*Attempt
	ctx    context.Context
	module api.Module
}

// granteePages is how much memory that is, granteeModule a module with nothing else.
const (
	granteePages  = 48
	granteeModule = "\x00asm\x01\x00\x00\x00" + "\x05\x03\x01\x00\x30" + "\x07\x0a\x01\x06memory\x02\x00"
)

// newGrantee returns one whose attempt has every grant.
func newGrantee(t testing.TB, a *Attempt) *grantee {
	t.Helper()
	a.Grants = hive.Grants
	return newAsking(t, a)
}

func newAsking(t testing.TB, a *Attempt) *grantee {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { r.Close(ctx) })
	m, err := r.Instantiate(ctx, []byte(granteeModule))
	if err != nil {
		t.Fatal(err)
	}
	return &grantee{t, a, ctx, m}
}

// raw calls a function with parameters as they are.
func (g *grantee) raw(name string, params ...uint64) int32 {
	g.Helper()
	for _, f := range functions {
		if f.name == name {
			if len(params) != len(valueTypes(f.params)) {
				g.Fatalf("%s takes %d parameters, not %d", name, len(valueTypes(f.params)), len(params))
			}
			stack := append(params, 0) // room for the result
			f.handler()(With(g.ctx, g.Attempt), g.module, stack)
			return int32(uint32(stack[0]))
		}
	}
	g.Fatalf("no function %s", name)
	return 0
}

// asks calls a function and returns its number and its answer. A string is put
// into memory and becomes two parameters.
func (g *grantee) asks(name string, params ...any) (int32, string) {
	g.Helper()
	at, stack := uint32(16), []uint64(nil)
	for _, p := range params {
		switch p := p.(type) {
		case string:
			if !g.module.Memory().WriteString(at, p) {
				g.Fatalf("%d bytes are too many for the guest", len(p))
			}
			stack = append(stack, uint64(at), uint64(len(p)))
			at += uint32(len(p))
		case int:
			stack = append(stack, uint64(p))
		default:
			g.Fatalf("%T is no parameter", p)
		}
	}
	n := g.raw(name, stack...)
	return n, string(g.answer)
}

// wants calls a function that must answer a number.
func (g *grantee) wants(want int32, name string, params ...any) string {
	g.Helper()
	n, text := g.asks(name, params...)
	if n != want {
		g.Errorf("%s(%.80q) = %d, want %d (%.200q)", name, params, n, want, text)
	}
	return text
}

// gets calls a function that must answer bytes, and reads them as a guest does.
func (g *grantee) gets(want, name string, params ...any) {
	g.Helper()
	n, text := g.asks(name, params...)
	if int(n) != len(want) || text != want {
		g.Errorf("%s(%.80q) = %d %.200q, want %.200q", name, params, n, text, want)
		return
	}
	const at = 1 << 16
	read := g.raw("answer_read", at, uint64(n), 0)
	if got, _ := g.module.Memory().Read(at, uint32(n)); read != n || string(got) != want {
		g.Errorf("answer_read = %d %.200q, want %.200q", read, got, want)
	}
}

// outside are pointers and lengths of which no pair lies within the memory.
var outside = [][2]uint64{
	{granteePages * page, 1}, {granteePages*page + 1, 0}, {granteePages*page - 1, 2}, {0, granteePages*page + 1},
	{1<<32 - 1, 1}, {1<<32 - 1, 1<<32 - 1}, {1, 1<<32 - 1}, {1 << 31, 1 << 31},
}

// refuses calls a function with each pair of outside in place of each of its pairs
// of parameters, which begin at the places given.
func (g *grantee) refuses(name string, params []uint64, places ...int) {
	g.Helper()
	for _, at := range places {
		for _, pair := range outside {
			stack := append([]uint64(nil), params...)
			stack[at], stack[at+1] = pair[0], pair[1]
			if n := g.raw(name, stack...); n != errRange {
				g.Errorf("%s%v = %d, want %d", name, stack, n, errRange)
			}
		}
	}
}
