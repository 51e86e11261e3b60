package spore

import (
	"context"
	"io"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/manifest"
	"github.com/hive-spore/hive/runtime"
)

// Admit is what the child process does in which programs are compiled for the
// first time: the one that Options.Admit starts.
func Admit(ctx context.Context, in io.Reader, out io.Writer) error {
	return AdmitFor(ctx, runtime.Options{Host: hostfuncs.Modules(), Careful: true}, in, out)
}

// AdmitFor is Admit for an engine with functions of its own.
func AdmitFor(ctx context.Context, o runtime.Options, in io.Reader, out io.Writer) error {
	return runtime.Admit(starting(ctx), o, in, out)
}

// starting returns the context in which programs are prepared: of no attempt, so
// without grants, but with what an Extism plugin finds while it starts.
func starting(ctx context.Context) context.Context {
	return hostfuncs.With(ctx, &hostfuncs.Attempt{Log: io.Discard, Extism: hostfuncs.NewExtism(hostfuncs.ExtismOptions{})})
}

// Program is a skill that is ready to run.
type Program struct {
	*runtime.Skill
	manifest      hive.Manifest
	input, output *manifest.Schema
}

// Prepare makes a skill ready to run in the engine. What is wrong with the program
// itself is a *runtime.Refusal.
func Prepare(ctx context.Context, engine *runtime.Engine, wasm []byte, m *hive.Manifest) (*Program, error) {
	if err := manifest.ValidateManifest(m); err != nil {
		return nil, err
	}
	p := &Program{manifest: *m}
	var err error
	if p.input, err = manifest.Compile(m.Input); err != nil {
		return nil, err
	}
	if p.output, err = manifest.Compile(m.Output); err != nil {
		return nil, err
	}
	p.Skill, err = engine.Prepare(starting(ctx), wasm, m)
	return p, err
}

// Run runs one attempt with what the skill's manifest grants, and checks what goes
// in and what comes out. Who calls fills in a what the manifest does not say: the
// task, and what is there to be used.
func (p *Program) Run(ctx context.Context, a *hostfuncs.Attempt, c runtime.Call) hive.Outcome {
	m, info := &p.manifest, p.Info()
	if c.Log == nil {
		c.Log = runtime.NewLog(info.Limits.Log)
	}
	a.Grants, a.Allow, a.Log = m.Grants, m.Allow, c.Log
	a.Skill = hive.SkillID{Name: m.Name, Version: m.Version, Digest: info.Digest}
	if err := p.input.Check(c.Payload); err != nil {
		return hive.Outcome{Ran: a.Skill, Failure: hive.NewFailure(hive.FailInput, err.Error()), Recording: a.Recording(m)}
	}
	c.World = a.World()
	if info.Contract == hive.ContractExtism {
		a.Extism = hostfuncs.NewExtism(hostfuncs.ExtismOptions{Payload: c.Payload, Config: m.Env, MaxMemory: info.Limits.Memory})
		c.Plugin = a.Extism
		defer a.Extism.Free()
	}
	out := p.Call(hostfuncs.With(ctx, a), c)
	if out.Failure == nil {
		if err := p.output.CheckResult(out.Result); err != nil {
			out.Failure = hive.NewFailure(hive.FailResult, err.Error())
		}
	}
	if out.Failure == nil {
		out.Effects = a.Effects()
	} else {
		out.Failure.Message = a.Redact(out.Failure.Message)
		out.Recording = a.Recording(m)
	}
	out.Log = a.RedactBytes(out.Log)
	return out
}
