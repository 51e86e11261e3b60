package bundle

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"os"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// Seal signs what is listed now for clients to see: a timestamp every time, a
// snapshot where the list is another one or half of the snapshot's time is over. It
// is to be called before the timestamp expires, and after what was published.
func (r *Repository) Seal(snapshotKeys, timestampKeys []*Key) error {
	return r.locked(func(set *trustedmetadata.TrustedMetadata) error {
		_, targets, err := newest[metadata.TargetsType](r, set, metadata.TARGETS)
		if err != nil {
			return err
		}
		snapshot, err := r.snapshot(set, snapshotKeys, targets)
		if err != nil {
			return err
		}
		if err := r.timestamp(set, timestampKeys, snapshot); err != nil {
			return err
		}
		return r.thin()
	})
}

// keptLists is how many versions of the list of targets, and of the snapshot, lie in the
// folder: who has just read an older timestamp still finds what that names.
const keptLists = 256

// thin removes versions that nobody asks for any more. Roots stay: each leads to the next.
func (r *Repository) thin() error {
	for _, role := range []string{metadata.TARGETS, metadata.SNAPSHOT} {
		found, err := r.versions(role)
		if err != nil {
			return err
		}
		for _, version := range found[min(keptLists, len(found)):] {
			name := metadataName(version, role)
			if err := os.Remove(r.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return diskError(name, err)
			}
		}
	}
	return nil
}

// snapshot returns what to say of the snapshot that lists targets.
func (r *Repository) snapshot(set *trustedmetadata.TrustedMetadata, keys []*Key, targets *metadata.MetaFiles) (*metadata.MetaFiles, error) {
	last, file, err := newest[metadata.SnapshotType](r, set, metadata.SNAPSHOT)
	if err == nil && sameFile(last.Signed.Meta["targets.json"], targets) && last.Signed.Expires.After(r.until(r.o.Snapshot/2)) {
		return file, nil
	}
	if err != nil && Reason(err) != ReasonMissing {
		return nil, err
	}
	version, err := r.next(metadata.SNAPSHOT)
	if err != nil {
		return nil, err
	}
	next := metadata.Snapshot(r.until(r.o.Snapshot))
	next.Signed.Version = version
	next.Signed.Meta = map[string]*metadata.MetaFiles{"targets.json": targets}
	data, err := signMetadata(next, counting(&set.Root.Signed, metadata.SNAPSHOT, keys))
	if err != nil {
		return nil, err
	}
	if err := set.Root.VerifyDelegate(metadata.SNAPSHOT, next); err != nil {
		return nil, because("the snapshot", err)
	}
	return fileOf(version, data), r.add(version, metadata.SNAPSHOT, data)
}

func (r *Repository) timestamp(set *trustedmetadata.TrustedMetadata, keys []*Key, snapshot *metadata.MetaFiles) error {
	const name = metadataDir + "/timestamp.json"
	var before int64
	if data, err := r.disk.read(r.path(name), maxTimestamp); err == nil {
		if last, err := metadata.Timestamp().FromBytes(data); err == nil {
			before = last.Signed.Version
		}
	}
	next := metadata.Timestamp(r.until(r.o.Timestamp))
	next.Signed.Version = r.after(before)
	next.Signed.Meta = map[string]*metadata.MetaFiles{"snapshot.json": snapshot}
	data, err := signMetadata(next, counting(&set.Root.Signed, metadata.TIMESTAMP, keys))
	if err != nil {
		return err
	}
	if err := set.Root.VerifyDelegate(metadata.TIMESTAMP, next); err != nil {
		return because("the timestamp", err)
	}
	return diskError(name, r.disk.write(r.path(name), data))
}

func sameFile(a, b *metadata.MetaFiles) bool {
	return a != nil && a.Version == b.Version && a.Length == b.Length && maps.EqualFunc(a.Hashes, b.Hashes,
		func(x, y metadata.HexBytes) bool { return hex.EncodeToString(x) == hex.EncodeToString(y) })
}
