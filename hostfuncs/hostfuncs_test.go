package hostfuncs

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// caller is a guest with a page of memory, "hello bees" at its beginning, and
// one function, "call", that hands its parameters to the host's:
//
//	(module
//	  (import "hive" "log" (func $f (param i32 i32 i32) (result i32)))
//	  (memory (export "memory") 1)
//	  (data (i32.const 0) "hello bees")
//	  (func (export "call") (param i32 i32 i32) (result i32)
//	    (call $f (local.get 0) (local.get 1) (local.get 2))))
const caller = "\x00asm\x01\x00\x00\x00" +
	"\x01\x08\x01\x60\x03\x7f\x7f\x7f\x01\x7f" + // type 0
	"\x02\x0c\x01\x04hive\x03log\x00\x00" +
	"\x03\x02\x01\x00" + // function 1 is of type 0
	"\x05\x03\x01\x00\x01" +
	"\x07\x11\x02\x06memory\x02\x00\x04call\x00\x01" +
	"\x0a\x0c\x01\x0a\x00\x20\x00\x20\x01\x20\x02\x10\x00\x0b" +
	"\x0b\x10\x01\x00\x41\x00\x0b\x0ahello bees"

// newGuest returns the caller's function and its memory.
func newGuest(t testing.TB) (api.Function, api.Memory) {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { r.Close(ctx) })
	for name, add := range Modules() {
		if _, err := add(r.NewHostModuleBuilder(name)).Instantiate(ctx); err != nil {
			t.Fatal(err)
		}
	}
	m, err := r.Instantiate(ctx, []byte(caller))
	if err != nil {
		t.Fatal(err)
	}
	return m.ExportedFunction("call"), m.Memory()
}

// ask calls the host through the guest.
func ask(t testing.TB, f api.Function, a *Attempt, params ...uint32) int32 {
	t.Helper()
	wide := make([]uint64, len(params))
	for i, p := range params {
		wide[i] = uint64(p)
	}
	answers, err := f.Call(With(context.Background(), a), wide...)
	if err != nil {
		t.Fatalf("the host trapped on %v: %v", params, err)
	}
	return int32(uint32(answers[0]))
}

func TestDeniedWithoutGrant(t *testing.T) {
	f, _ := newGuest(t)
	var b bytes.Buffer
	for _, grants := range [][]hive.Grant{nil, {hive.GrantKV, hive.GrantHTTP}} {
		if got := ask(t, f, &Attempt{Grants: grants, Log: &b}, 1, 0, 5); got != errDenied {
			t.Errorf("log with grants %v answers %d, want %d", grants, got, errDenied)
		}
	}
	if answers, err := f.Call(context.Background(), 1, 0, 5); err != nil || int32(uint32(answers[0])) != errDenied {
		t.Errorf("log outside of any attempt answers %v, %v", answers, err)
	}
	if got, want := b.String(), "warn: log is denied\nwarn: log is denied\n"; got != want { // two attempts
		t.Errorf("denied calls wrote %q, want %q", got, want)
	}
}

// TestErrorNumbers holds the numbers against the table that guests rely on.
func TestErrorNumbers(t *testing.T) {
	abi, err := os.ReadFile("../docs/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"range": errRange, "denied": errDenied, "invalid": errInvalid,
		"absent": errAbsent, "full": errFull, "unavailable": errUnavailable}
	for _, row := range regexp.MustCompile("(?m)^\\| `(-\\d+)` \\| (\\w+) \\|").FindAllStringSubmatch(string(abi), -1) {
		n, _ := strconv.Atoi(row[1])
		if want[row[2]] != n {
			t.Errorf("docs/abi.md: %s is %d, the code says %d", row[2], n, want[row[2]])
		}
		delete(want, row[2])
	}
	if len(want) > 0 {
		t.Errorf("docs/abi.md lacks %v", want)
	}
}
