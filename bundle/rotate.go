package bundle

import (
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// Rotate gives the repository a new root: other keys, other thresholds, or the same
// for longer. It needs the signatures of enough root keys of both the old and the
// new root, and lists the targets anew with the new root's targets keys. Clients see
// both when the repository is sealed, and need that at once: the old timestamp is
// not of the new root.
func (r *Repository) Rotate(roles Roles, rootKeys, targetsKeys []*Key) (root []byte, err error) {
	return r.rotate(func(Roles) Roles { return roles }, rootKeys, targetsKeys, func(*changed) error { return nil })
}

// targetFiles is a list of targets by name.
type targetFiles = map[string]*metadata.TargetFiles

// rotate is Rotate from the roles of now, and with a change of what is listed.
func (r *Repository) rotate(roles func(now Roles) Roles, rootKeys, targetsKeys []*Key, edit func(*changed) error) (root []byte, err error) {
	err = r.locked(func(set *trustedmetadata.TrustedMetadata) error {
		targets, _, err := newest[metadata.TargetsType](r, set, metadata.TARGETS)
		if err != nil {
			return err
		}
		next, err := r.nextRoot(set, roles, rootKeys)
		if err != nil {
			return err
		}
		if root, err = next.ToBytes(false); err != nil {
			return err
		}
		if _, err := set.UpdateRoot(root); err != nil {
			return because("the new root", err)
		}
		if _, err := r.changeList(set, targetsKeys, targets, edit); err != nil {
			return err
		}
		return r.add(next.Signed.Version, metadata.ROOT, root)
	})
	if err != nil {
		return nil, err
	}
	return root, nil
}

// nextRoot is the root after that of set, signed by those keys that either names.
func (r *Repository) nextRoot(set *trustedmetadata.TrustedMetadata, roles func(now Roles) Roles, keys []*Key) (*metadata.Metadata[metadata.RootType], error) {
	now, err := rolesIn(&set.Root.Signed)
	if err != nil {
		return nil, err
	}
	next, err := roles(now).root(set.Root.Signed.Version+1, r.until(r.o.Root))
	if err != nil {
		return nil, err
	}
	signers := slices.Concat(counting(&set.Root.Signed, metadata.ROOT, keys), counting(&next.Signed, metadata.ROOT, keys))
	_, err = signMetadata(next, signers)
	return next, err
}

// newestRoot is the root that the repository has come to, and its bytes.
func (r *Repository) newestRoot() (*metadata.RootType, []byte, error) {
	set, err := r.trusted()
	if err != nil {
		return nil, nil, err
	}
	root := &set.Root.Signed
	name := metadataName(root.Version, metadata.ROOT)
	data, err := r.disk.read(r.path(name), maxRoot)
	return root, data, diskError(name, err)
}
