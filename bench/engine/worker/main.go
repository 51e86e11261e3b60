// Command worker takes one measurement of the engine or of a peer: an order
// on standard input, its result on standard output. It is a process of its own
// so that no peer feels the heap, the threads or the signal handlers of another.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/hive-spore/hive/bench/engine/work"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "worker: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 1 && args[0] == admitCommand {
		return admit(ctx, os.Stdin, os.Stdout)
	}
	return carryOut(ctx, os.Stdin, os.Stdout)
}

func carryOut(ctx context.Context, in io.Reader, out io.Writer) error {
	var o work.Order
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return err
	}
	r, err := measure(ctx, o)
	if reason := (unsupported)(""); errors.As(err, &reason) {
		r, err = work.Result{Unsupported: string(reason)}, nil
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

func measure(ctx context.Context, o work.Order) (work.Result, error) {
	switch o.Kind {
	case work.Tasks:
		return measureTasks(ctx, o)
	case work.Kernels:
		return measureKernels(ctx, o)
	case work.Kills:
		return measureKills(ctx, o)
	case work.Memory:
		return measureMemory(ctx, o)
	}
	return work.Result{}, fmt.Errorf("kind %q is unknown", o.Kind)
}

// unsupported is why a subject cannot run a guest.
type unsupported string

func (u unsupported) Error() string { return string(u) }

// caller does tasks one after the other. The result may be overwritten by the
// next call.
type caller func(payload []byte) ([]byte, error)

// subject is a way to run the tasks of one guest.
type subject interface {
	// caller returns one to use on a goroutine of its own, until ctx ends.
	caller(ctx context.Context) (caller, error)
	close()
}

// open compiles the guest.
func open(ctx context.Context, o work.Order) (subject, error) {
	switch o.Subject {
	case work.Ours, work.OursFresh:
		return openOurs(ctx, o)
	case work.Plain, work.PlainClose:
		return openPlain(ctx, o)
	case work.Warm, work.WarmMetered:
		return openWarm(ctx, o)
	case work.Extism:
		return openExtism(ctx, o)
	case work.Wasmtime:
		return openWasmtime(o)
	case work.Exec:
		return native{o.Native}, nil
	}
	return nil, fmt.Errorf("subject %q is unknown", o.Subject)
}
