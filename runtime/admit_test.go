package runtime

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

// hungryChild is the command of a child that takes more and more memory.
var hungryChild = []string{os.Args[0], "hungry"}

func eatMemory() {
	var all [][]byte
	for {
		b := make([]byte, 16<<20)
		for i := 0; i < len(b); i += kernelPageOfAny {
			b[i] = 1
		}
		all = append(all, b)
		if len(all) > 128 {
			os.Exit(1)
		}
	}
}

// kernelPageOfAny is at most the size of a page of any system.
const kernelPageOfAny = 4 << 10

// TestAdmission compiles a program in a child, and again only when it must.
func TestAdmission(t *testing.T) {
	dir := t.TempDir()
	run := func(admit ...string) error {
		e := newEngine(t, Options{CacheDir: dir, Admit: admit})
		e.trusting = false
		s, err := e.Prepare(t.Context(), counter().bytes(), &hive.Manifest{Name: "counter"})
		if err != nil {
			return err
		}
		wantResult(t, s.Call(t.Context(), Call{}), once)
		return s.Close(t.Context())
	}
	if err := run(admittedBy...); err != nil {
		t.Fatal(err)
	}
	if err := run(); err != nil { // needs no child any more
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".admit-*")); len(left) > 0 {
		t.Errorf("the child left %v", left)
	}
}

// TestChildSaysNo: what it refuses is refused here, in its words.
func TestChildSaysNo(t *testing.T) {
	e := newEngine(t, Options{Admit: admittedBy})
	wasm := command(num(1), add).bytes()
	if got := refused(t, e, wasm, hive.Manifest{}); !strings.HasPrefix(got, "not a valid WebAssembly module: invalid function[0]") {
		t.Errorf("Prepare() = %q", got)
	}
}

// TestChildrenThatFail: whatever becomes of the child, this process goes on.
func TestChildrenThatFail(t *testing.T) {
	wasm := command().bytes()
	for _, tt := range []struct {
		name, want string
		admit      []string
	}{
		{"dies", "cannot be compiled: the process that tried ended with", []string{"false"}},
		{"says nothing", "cannot be compiled: the process that tried ended with", []string{"true"}},
		{"says too much", "cannot be compiled: the process that tried ended with", []string{"sh", "-c", "yes | head -c 1000000"}},
		{"is killed", "admit program: the process that compiled it was killed: is the machine short of memory?", []string{"sh", "-c", "kill -9 $$"}},
		{"takes memory", "takes more than 128 MiB of memory to compile", hungryChild},
		{"lies", "admit program: the compiled code is not where it should be", []string{"echo", "{}"}},
		{"is not there", "admit program: exec: ", []string{"hive-no-such-program"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newEngine(t, Options{Admit: tt.admit})
			e.childMemory = 128 << 20
			_, err := e.Prepare(t.Context(), wasm, &hive.Manifest{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Prepare() = %v, want %q", err, tt.want)
			}
			if _, refused := errors.AsType[*Refusal](err); refused == strings.HasPrefix(tt.want, "admit program: ") {
				t.Errorf("Prepare() = %v: a refusal: %v", err, refused)
			}
		})
	}
}

// TestChildrenHaveNoChildren: a program that runs its own main again as the child
// must not do so for ever.
func TestChildrenHaveNoChildren(t *testing.T) {
	t.Setenv(admitting, "1")
	e := newEngine(t, Options{Admit: admittedBy})
	if _, err := e.Prepare(t.Context(), command().bytes(), &hive.Manifest{}); err == nil || !strings.Contains(err.Error(), "names the wrong command") {
		t.Errorf("Prepare() = %v", err)
	}
}

// TestCloseEndsTheChild: an engine does not wait for a compilation.
func TestCloseEndsTheChild(t *testing.T) {
	e := newEngine(t, Options{Admit: []string{"sleep", "3600"}})
	failed := make(chan error, 1)
	go func() {
		_, err := e.Prepare(t.Context(), command().bytes(), &hive.Manifest{})
		failed <- err
	}()
	for claimed := false; !claimed; {
		e.mu.Lock()
		claimed = len(e.programs) > 0
		e.mu.Unlock()
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, errClosed) {
		t.Errorf("Prepare() = %v", err)
	}
}

// TestPrepareEndsWithItsContext, although the child has a child of its own that
// goes on; both are killed with the engine.
func TestPrepareEndsWithItsContext(t *testing.T) {
	e := newEngine(t, Options{Admit: []string{"sh", "-c", "sleep 3600; true"}})
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := e.Prepare(ctx, command().bytes(), &hive.Manifest{}); !errors.Is(err, enough) {
		t.Errorf("Prepare() = %v", err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestRefusalOfAnother: who waited for the same program asks again, with a
// manifest of its own.
func TestRefusalOfAnother(t *testing.T) {
	e := newEngine(t, Options{})
	wasm := counter().bytes()
	p, _ := e.claim(Digest(wasm), nil)
	prepared := make(chan error, 1)
	go func() {
		s, err := e.Prepare(t.Context(), wasm, &hive.Manifest{})
		if err == nil {
			err = s.Close(t.Context())
		}
		prepared <- err
	}()
	for waiting := false; !waiting; {
		e.mu.Lock()
		waiting = p.refs == 3
		e.mu.Unlock()
	}
	p.err = refuse("has no such entry")
	e.unlist(p)
	close(p.ready)
	e.busy.Done()
	_ = e.release(p)
	_ = e.release(p)
	if err := <-prepared; err != nil {
		t.Errorf("Prepare() = %v", err)
	}
}

// TestAdmitReadsHostileOrders: the child's own input is bounded as well.
func TestAdmitReadsHostileOrders(t *testing.T) {
	for _, in := range []string{"", "\x00", "\xff\xff\xff\xff", "\x00\x00\x00\x02{}", "\x00\x00\x00\x02{}\xff\xff\xff\xff", "\x00\x00\x00\x01x"} {
		if _, _, err := readOrder(strings.NewReader(in)); err == nil {
			t.Errorf("an order of %q was read", in)
		}
	}
	piped, to := io.Pipe()
	go func() {
		to.CloseWithError(send(to, order{Dir: "d", Manifest: hive.Manifest{Name: "n"}}, []byte("wasm")))
	}()
	if o, wasm, err := readOrder(piped); err != nil || o.Dir != "d" || o.Manifest.Name != "n" || string(wasm) != "wasm" {
		t.Errorf("readOrder() = %+v, %q, %v", o, wasm, err)
	}
}

// TestHostileModulesHarmNobody prepares small modules that would take a process
// with them, with a child at hand that must not even be needed.
func TestHostileModulesHarmNobody(t *testing.T) {
	e := newEngine(t, Options{Admit: []string{"false"}})
	before := resident(os.Getpid())
	for _, b := range bombs {
		if got := refused(t, e, b.wasm, hive.Manifest{}); got != b.want {
			t.Errorf("%s: %q", b.name, got)
		}
	}
	if now := resident(os.Getpid()); now > before+256<<20 {
		t.Errorf("memory rose from %d to %d bytes", before, now)
	}
	wantResult(t, skillIn(t, newEngine(t, Options{}), counter().bytes(), hive.Manifest{}).Call(context.Background(), Call{}), once)
}
