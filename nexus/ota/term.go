package ota

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
)

// termFile is the file of a repository's folder that names the newest term which kept it:
// epoch and nexus.
const termFile = "term"

// term is one nexus' time as leader.
type term struct {
	epoch int64
	nexus string
}

// Lead is the desk of a nexus' term. Nothing is changed there any more once a later term
// has: a nexus that was stopped, or cut off, may not know yet that another one leads.
func (d *Desk) Lead(epoch int64, nexus string) *Desk {
	return &Desk{d.repo, d.path, &term{epoch, nexus}}
}

// claim checks that no later term has kept the repository, and says that this one does.
// It is called alone.
func (d *Desk) claim() error {
	if d.term == nil {
		return nil
	}
	path := filepath.Join(filepath.Dir(d.path), termFile)
	var seen term
	switch data, err := os.ReadFile(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("read who kept the repository: %w", err)
	default:
		if n, err := fmt.Sscan(string(data), &seen.epoch, &seen.nexus); n != 2 {
			return fmt.Errorf("%s: want an epoch and a nexus (%v); remove it if none of another road keeps this repository", path, err)
		}
	}
	switch {
	case seen == *d.term:
		return nil
	case seen.epoch >= d.term.epoch:
		return fmt.Errorf("%w: %s kept the repository in epoch %d, and this is %d (%s says so; remove it if that was on another road)",
			hive.ErrNotLeader, seen.nexus, seen.epoch, d.term.epoch, path)
	}
	return bundle.WriteFile(path, fmt.Appendln(nil, d.term.epoch, d.term.nexus))
}

// assign signs a set and makes it the one that spores see, unless a newer one is there: one
// that this key signed, or another term's.
func (d *Desk) assign(set *bundle.AssignmentSet, key *bundle.Key) error {
	return d.repo.Assign(set, key, d.claim, func() error { return d.newer(set.Generation, key) })
}

// newer refuses to go back behind what a key has signed: spores would not follow, and a
// plan that is older than that has lost something. A set by another key, or one that
// cannot be read, is replaced.
func (d *Desk) newer(generation int64, key *bundle.Key) error {
	seen, err := d.repo.Assigned(key.Ed25519())
	if err == nil && seen.Generation > generation {
		return fmt.Errorf("the plan is of generation %d, and %d was signed before: an old plan is back; any decision makes it the newest", generation, seen.Generation)
	}
	return nil
}
