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
	"github.com/hive-spore/hive/internal/testkit"
)

// The skills of a rig. All but Noop are the repository's, reactors in Go.
const (
	Noop      = "noop" // a hand-made reactor of 99 bytes that writes a constant
	Wordcount = "wordcount"
	Fetch     = "fetch"
	Summarize = "summarize"
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

// NewKit builds the programs and some skills of the repository into a directory.
func NewKit(ctx context.Context, repo, dir string, skills ...string) (*Kit, error) {
	k := &Kit{dir: dir, skills: map[string]Skill{Noop: Reactor(Noop, testkit.Noop)}}
	for _, name := range []string{"nexus", "spore"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", k.program(name), "./cmd/"+name)
		cmd.Dir = repo
		if said, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w\n%s", name, err, said)
		}
	}
	for _, name := range skills {
		s, program, err := build.Builder{CacheDir: dir}.Skill(ctx, filepath.Join(repo, "skills", name))
		if err != nil {
			return nil, err
		}
		k.skills[name] = Skill{*s, program}
	}
	return k, nil
}

// Skill returns one that the kit was built with, or Noop.
func (k *Kit) Skill(name string) Skill { return k.skills[name] }

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
