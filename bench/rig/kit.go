// Package rig starts whole hives to measure: a redis-server of their own, a
// nexus and spores, each a process.
package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/internal/build"
)

// The skills of a rig.
const (
	Noop      = "noop"      // a hand-made reactor of 99 bytes that writes a constant
	Wordcount = "wordcount" // the repository's: a WASI command in Go
)

// Skill is a program with its manifest, ready to be registered.
type Skill struct {
	hive.Skill
	Program []byte
}

// Kit is what all hives of a run have in common: the built programs and skills.
type Kit struct {
	dir    string // programs, and the spores' cache of compiled skills
	skills map[string]Skill
}

// NewKit builds the programs and skills of the repository into a directory.
func NewKit(ctx context.Context, repo, dir string) (*Kit, error) {
	k := &Kit{dir: dir, skills: map[string]Skill{Noop: noopSkill()}}
	for _, name := range []string{"nexus", "spore"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", k.program(name), "./cmd/"+name)
		cmd.Dir = repo
		if said, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w\n%s", name, err, said)
		}
	}
	folder := filepath.Join(repo, "skills", Wordcount)
	s, program, err := build.Builder{CacheDir: dir}.Skill(ctx, folder)
	if err != nil {
		return nil, err
	}
	k.skills[Wordcount] = Skill{*s, program}
	return k, nil
}

func (k *Kit) program(name string) string { return filepath.Join(k.dir, name) }

// env is what the programs see of the environment: none of the caller's HIVE_
// and REDIS_ variables, and a cache of their own.
func (k *Kit) env() []string {
	env := []string{"XDG_CACHE_HOME=" + filepath.Join(k.dir, "cache")}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOMAXPROCS", "GOGC"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}
