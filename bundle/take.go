package bundle

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// maxTold is how many missing targets a refusal names.
const maxTold = 8

// Take takes bundles that came in .hive files into a repository whose publisher's keys
// are elsewhere: the bundles, their programs, and of the lists in the files the newest,
// with the roots that lead to it. Each file must be signed from the repository's root
// on. The newest list must not be older than the repository's, must name every bundle of
// the files, and nothing that is neither in them nor in the repository. A refusal writes
// nothing. Clients see the list when it is sealed.
func (r *Repository) Take(files ...*Imported) (version int64, err error) {
	defer recovered(r.dir, &err)
	err = r.Alone(func() error {
		if err := r.disk.sweep(r.path(metadataDir)); err != nil {
			return diskError(r.dir, err)
		}
		t := &taking{repo: r, files: files, targets: map[string][]byte{}}
		if err := t.check(); err != nil {
			return err
		}
		version = t.list.targets.Signed.Version
		return t.write()
	})
	return version, err
}

// taking is what Take is about to write.
type taking struct {
	repo    *Repository
	files   []*Imported
	list    *carriedList
	there   bool              // the repository has the list
	targets map[string][]byte // that the files brought, by name
}

func (t *taking) check() error {
	if err := t.newest(); err != nil {
		return err
	}
	for _, f := range t.files {
		if err := t.list.names(f.Bundle); err != nil {
			return err
		}
		data, err := f.Bundle.Encode()
		if err != nil {
			return err
		}
		t.targets[Listed{Name: f.Bundle.Name, Version: f.Bundle.Version}.TargetName()] = data
	}
	if len(t.list.Nexus) > 0 {
		if err := t.list.isListed(NexusKeysTarget, t.list.Nexus); err != nil {
			return err
		}
		t.targets[NexusKeysTarget] = t.list.Nexus
	}
	if err := t.order(); err != nil {
		return err
	}
	return t.complete()
}

// newest verifies all chains, and chooses the newest.
func (t *taking) newest() error {
	for _, f := range t.files {
		trusted, err := t.repo.trusted()
		if err != nil {
			return err
		}
		l, err := readChain(f.Bundle, f.Chain, trusted, t.repo.o.Now())
		if err != nil {
			return fmt.Errorf("%s: %w", f.Bundle, err)
		}
		if t.list == nil || l.newerThan(t.list) {
			t.list = l
		}
	}
	if t.list == nil {
		return refuse(ReasonInvalid, "nothing to take", nil)
	}
	return nil
}

func (l *carriedList) newerThan(other *carriedList) bool {
	if mine, its := l.set.Root.Signed.Version, other.set.Root.Signed.Version; mine != its {
		return mine > its
	}
	return l.targets.Signed.Version > other.targets.Signed.Version
}

// order refuses a list that is older than the repository's, or another of its version.
func (t *taking) order() error {
	const what = "the list of targets in the file"
	now, file, err := newest[metadata.TargetsType](t.repo, t.list.set, metadata.TARGETS)
	if Reason(err) == ReasonMissing { // none is signed by the keys that count now
		return nil
	}
	if err != nil {
		return err
	}
	version := t.list.targets.Signed.Version
	switch {
	case version < now.Signed.Version:
		return refuse(ReasonRollback, what, fmt.Errorf("version %d, and the repository has version %d", version, now.Signed.Version))
	case version > now.Signed.Version:
		return nil
	case !sameFile(file, fileOf(version, t.list.Targets)):
		return refuse(ReasonMismatch, what, fmt.Errorf("the repository has another version %d", version))
	}
	t.there = true
	return nil
}

// complete refuses a list that names what is nowhere: clients could not have it.
func (t *taking) complete() error {
	var lacking []string
	listed := t.list.targets.Signed.Targets
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if err := CheckTarget(name); err != nil {
			return err
		}
		if _, brought := t.targets[name]; !brought && !t.repo.keeps(name, listed[name]) {
			lacking = append(lacking, spoken(name))
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	names := strings.Join(lacking[:min(len(lacking), maxTold)], ", ")
	if more := len(lacking) - maxTold; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return refuse(ReasonMissing, "what the list names as well, "+names+",", errors.New("import the .hive files of all of these in one go"))
}

// spoken is how people call a target.
func spoken(name string) string {
	if l, ok := listed(name, &metadata.TargetFiles{Hashes: metadata.Hashes{"sha256": make([]byte, 32)}}); ok {
		return l.Name + "@" + l.Version
	}
	return name
}

// keeps reports whether the repository has a target, and the programs of a bundle.
func (r *Repository) keeps(name string, t *metadata.TargetFiles) bool {
	if t == nil {
		return false
	}
	data, err := r.stored(name, digestOf(t.Hashes["sha256"]))
	if err != nil || int64(len(data)) != t.Length {
		return false
	}
	return !strings.HasPrefix(name, bundlesDir+"/") || r.bundle(name, data) == nil
}

// write writes what nobody names yet, then the list, and then the roots that its keys
// come from.
func (t *taking) write() error {
	for _, f := range t.files {
		for _, p := range f.Bundle.programs() {
			if err := t.repo.takeProgram(p, f.Program(p.digest)); err != nil {
				return err
			}
		}
	}
	for name, data := range t.targets {
		sum := t.list.targets.Signed.Targets[name].Hashes["sha256"]
		if err := t.repo.disk.write(t.repo.path(targetPath(name, sum)), data); err != nil {
			return diskError(name, err)
		}
	}
	if !t.there {
		if err := t.repo.add(t.list.targets.Signed.Version, metadata.TARGETS, t.list.Targets); err != nil {
			return err
		}
	}
	first := t.list.set.Root.Signed.Version - int64(len(t.list.newer)) + 1
	for i, root := range t.list.newer {
		if err := t.repo.add(first+int64(i), metadata.ROOT, root); err != nil {
			return err
		}
	}
	return nil
}

// takeProgram copies a program from a file.
func (r *Repository) takeProgram(p program, from string) error {
	name := blobPath(p.digest)
	if holds(r.path(name), p.digest, p.size) {
		return nil
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return diskError(name, r.disk.stream(r.path(name), func(w io.Writer) error { return p.copy(w, f) }))
}
