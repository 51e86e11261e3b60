package rig

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/spore"
)

// TestMain is also the child that admits the noop.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "admit" {
		if err := spore.Admit(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestNoop(t *testing.T) {
	t.Parallel()
	engine, err := runtime.New(t.Context(), runtime.Options{Admit: []string{os.Args[0], "admit"}, Host: hostfuncs.Modules(), Careful: true})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(t.Context())
	skill, err := engine.Prepare(t.Context(), testkit.Noop, &hive.Manifest{Name: "noop", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	out := skill.Call(t.Context(), runtime.Call{Payload: []byte("anything")})
	if out.Failure != nil || string(out.Result) != "ok" {
		t.Errorf("noop = %q, %v; want ok", out.Result, out.Failure)
	}
}
