// Package build turns a skill folder or a wasm file into a skill that can be
// published.
package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/manifest"
	"github.com/hive-spore/hive/runtime"
)

// Builder makes skills. Programs it built are kept by the content of their
// folder.
type Builder struct {
	CacheDir string    // empty: nothing is kept
	Out      io.Writer // what the toolchain says; nil: shown only when it fails
}

// Skill reads a skill from a folder with a skill.toml, building it if its content
// changed, or from a wasm file, which needs no manifest.
func (b Builder) Skill(ctx context.Context, path string) (*hive.Skill, []byte, error) {
	if strings.HasSuffix(path, ".wasm") {
		return bare(path)
	}
	folder, err := manifest.Load(path)
	if err != nil {
		return nil, nil, err
	}
	return b.Of(ctx, folder)
}

// Of is Skill of a folder that was read already.
func (b Builder) Of(ctx context.Context, folder *manifest.Folder) (*hive.Skill, []byte, error) {
	program, err := b.cached(ctx, folder)
	if err != nil {
		return nil, nil, err
	}
	return skill(folder.Manifest, program), program, nil
}

// Folder builds a skill folder whether or not it is known, and returns the path
// of the program.
func (b Builder) Folder(ctx context.Context, path string) (string, error) {
	folder, err := manifest.Load(path)
	if err != nil {
		return "", err
	}
	if _, err := b.fresh(ctx, folder); err != nil {
		return "", err
	}
	return filepath.Join(folder.Dir, filepath.FromSlash(folder.Build.Output)), nil
}

func skill(m hive.Manifest, program []byte) *hive.Skill {
	return &hive.Skill{Manifest: m, Digest: runtime.Digest(program), Size: int64(len(program))}
}

var notNameChars = regexp.MustCompile(`[^a-z0-9-]+`)

// bare makes a skill of a program without a manifest, named after its file.
func bare(path string) (*hive.Skill, []byte, error) {
	program, err := readProgram(path)
	if err != nil {
		return nil, nil, err
	}
	name := notNameChars.ReplaceAllString(strings.ToLower(strings.TrimSuffix(filepath.Base(path), ".wasm")), "-")
	name = strings.TrimLeft(name, "-0123456789")
	if name = name[:min(len(name), 48)]; hive.CheckSkillName(name) != nil {
		name = "skill"
	}
	return skill(hive.Manifest{Name: name, Version: "0.0.0"}, program), program, nil
}

func readProgram(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no such file: %s", path)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	if info.Size() > bundle.MaxProgram {
		return nil, fmt.Errorf("%s: %d bytes, at most %d allowed: %w", path, info.Size(), bundle.MaxProgram, hive.ErrTooLarge)
	}
	return os.ReadFile(path)
}

// cached returns the program of a folder, built now or before.
func (b Builder) cached(ctx context.Context, f *manifest.Folder) ([]byte, error) {
	if path, err := b.place(f); err == nil {
		if program, err := os.ReadFile(path); err == nil && bytes.HasPrefix(program, []byte("\x00asm")) { // else it was cut off
			return program, nil
		}
	}
	return b.fresh(ctx, f)
}

// fresh builds a folder and keeps the program, unless the folder changed meanwhile:
// then nobody knows of which content it is.
func (b Builder) fresh(ctx context.Context, f *manifest.Folder) ([]byte, error) {
	before, errBefore := b.place(f)
	program, err := b.build(ctx, f)
	if err != nil {
		return nil, err
	}
	if after, err := b.place(f); errors.Join(err, errBefore) == nil && after == before {
		keep(after, program)
	}
	return program, nil
}

var errNoCache = errors.New("nothing is kept")

// place is where the folder's program is kept, if it is built at all: the hash
// of a folder does not cover its program.
func (b Builder) place(f *manifest.Folder) (string, error) {
	if b.CacheDir == "" || len(f.Build.Command) == 0 {
		return "", errNoCache
	}
	hash, err := f.SourceHash()
	if err != nil {
		return "", err
	}
	return filepath.Join(b.CacheDir, "built", hash+".wasm"), nil
}

// keep is best effort: without it the next run builds again.
func keep(path string, program []byte) {
	if os.MkdirAll(filepath.Dir(path), 0o755) != nil {
		return
	}
	beside, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return
	}
	_, errWrite := beside.Write(program)
	if errors.Join(errWrite, beside.Close()) != nil || os.Rename(beside.Name(), path) != nil {
		os.Remove(beside.Name())
	}
}

// interruptedFor is how long a build command may clean up after an interrupt, and
// programs of its own may go on after it.
const interruptedFor = 2 * time.Second

// build runs the folder's build command and reads what it made.
func (b Builder) build(ctx context.Context, f *manifest.Folder) ([]byte, error) {
	output := filepath.Join(f.Dir, filepath.FromSlash(f.Build.Output))
	if len(f.Build.Command) == 0 {
		program, err := readProgram(output)
		if err != nil {
			err = fmt.Errorf("skill %s: %w (%s has no build.command to make it)", f.Manifest.Name, err, manifest.FileName)
		}
		return program, err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, f.Build.Command[0], f.Build.Command[1:]...)
	cmd.Dir, cmd.Env = f.Dir, os.Environ()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = interruptedFor
	for key, value := range f.Build.Env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	cmd.Stdout, cmd.Stderr = &said, &said
	if b.Out != nil {
		cmd.Stdout, cmd.Stderr = b.Out, io.MultiWriter(b.Out, &said)
	}
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		missing := fmt.Sprintf("skill %s: build needs %q, which is not installed or not in PATH", f.Manifest.Name, f.Build.Command[0])
		if names, known := packages[f.Build.Command[0]]; known {
			missing += " (Debian: apt-get install " + names + ")"
		}
		return nil, errors.New(missing)
	case err != nil:
		return nil, fmt.Errorf("skill %s does not compile (%s: %v):\n%s", f.Manifest.Name,
			strings.Join(f.Build.Command, " "), err, hive.Clip(strings.TrimSpace(said.String()), 8<<10)+hint(said.String()))
	}
	program, err := readProgram(output)
	if err != nil {
		return nil, fmt.Errorf("skill %s: the build made no program: %w", f.Manifest.Name, err)
	}
	return program, nil
}
