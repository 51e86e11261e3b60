package spore

import (
	"context"
	"io"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/runtime"
)

// Admit is what the child process does in which programs are compiled for the
// first time: the one that Options.Admit starts.
func Admit(ctx context.Context, in io.Reader, out io.Writer) error {
	return runtime.Admit(Starting(ctx), runtime.Options{Host: hostfuncs.Modules(), Careful: true}, in, out)
}

// Starting returns the context in which programs are prepared: of no attempt, so
// without grants, but with what an Extism plugin finds while it starts.
func Starting(ctx context.Context) context.Context {
	return hostfuncs.With(ctx, &hostfuncs.Attempt{Log: io.Discard, Extism: hostfuncs.NewExtism(hostfuncs.ExtismOptions{})})
}

// Call runs one attempt of a prepared program with what its manifest grants. Who
// calls fills in a what the manifest does not say: the task, and who listens.
func Call(ctx context.Context, program *runtime.Skill, m *hive.Manifest, a *hostfuncs.Attempt, c runtime.Call) hive.Outcome {
	info := program.Info()
	a.Grants, a.Allow, a.Log = m.Grants, m.Allow, c.Log
	a.Skill = hive.SkillID{Name: m.Name, Version: m.Version, Digest: info.Digest}
	if info.Contract == hive.ContractExtism {
		a.Extism = hostfuncs.NewExtism(hostfuncs.ExtismOptions{Payload: c.Payload, Config: m.Env, MaxMemory: info.Limits.Memory})
		c.Plugin = a.Extism
	}
	out := program.Call(hostfuncs.With(ctx, a), c)
	if a.Extism != nil {
		a.Extism.Free()
	}
	return out
}
