package rig

import (
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/runtime"
)

func TestNoop(t *testing.T) {
	t.Parallel()
	engine, err := runtime.New(t.Context(), runtime.Options{Host: hostfuncs.Modules()})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(t.Context())
	skill, err := engine.Prepare(t.Context(), noop, &hive.Manifest{Name: "noop", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	out := skill.Call(t.Context(), runtime.Call{Payload: []byte("anything")})
	if out.Failure != nil || string(out.Result) != "ok" {
		t.Errorf("noop = %q, %v; want ok", out.Result, out.Failure)
	}
}
