package bundle

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"os"
)

// AssignmentsFile is the file of a repository with the newest set that a nexus signed.
const AssignmentsFile = "assignments.json"

// Assign signs a set and makes it the one that spores see, unless one of may, which are
// asked while nobody else changes the repository, objects.
func (r *Repository) Assign(set *AssignmentSet, key crypto.Signer, may ...func() error) error {
	data, err := set.Sign(key)
	if err != nil {
		return err
	}
	return r.Alone(func() error {
		for _, ask := range may {
			if err := ask(); err != nil {
				return err
			}
		}
		if err := r.disk.sweep(r.dir); err != nil {
			return diskError(r.dir, err)
		}
		return diskError(AssignmentsFile, r.disk.write(r.path(AssignmentsFile), data))
	})
}

// Assigned is the set that spores see now, if one of keys signed it.
func (r *Repository) Assigned(keys ...ed25519.PublicKey) (*AssignmentSet, error) {
	data, err := r.disk.read(r.path(AssignmentsFile), MaxEnvelope)
	if err != nil {
		return nil, diskError(AssignmentsFile, err)
	}
	return ReadAssignments(data, keys)
}

// Stands reports whether the files that clients ask for first are in the folder.
func (r *Repository) Stands() bool {
	for _, name := range []string{AssignmentsFile, metadataDir + "/timestamp.json"} {
		if _, err := os.Stat(r.path(name)); errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}
