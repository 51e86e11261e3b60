package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// update is one refresh: TUF's client workflow, version 1.0, section 5. What the
// library checks in each step stands with its Update methods; ours are the floor,
// and where bytes come from.
type update struct {
	*Client
	at    time.Time
	set   *trustedmetadata.TrustedMetadata
	chain chain
}

func (c *Client) refresh(ctx context.Context, now time.Time) (changed bool, err error) {
	defer recovered("the repository's metadata", &err)
	u := &update{Client: c, at: now, chain: c.chain}
	if u.set, err = u.chain.root(); err != nil {
		return false, err
	}
	u.set.RefTime = now
	for _, step := range []func(context.Context) error{u.roots, u.timestamp, u.snapshot, u.targets} {
		if err := step(ctx); err != nil {
			return false, err
		}
	}
	return u.keep()
}

// roots follows newer roots, each signed by the keys of the one before it and by its
// own. That the next one is missing is the one sign that there is none.
func (u *update) roots(ctx context.Context) error {
	for range maxRotations {
		what := fmt.Sprintf("metadata/%d.root.json", u.set.Root.Signed.Version+1)
		data, err := u.fetch.bytes(ctx, what, maxRoot)
		if Reason(err) == ReasonMissing {
			break
		}
		if err != nil {
			return err
		}
		if err := u.rotate(what, data); err != nil {
			return err
		}
	}
	root := &u.set.Root.Signed
	if root.Version < u.floor.Root.Version {
		return refuse(ReasonRollback, fmt.Sprintf("root version %d", root.Version), fmt.Errorf("version %d was seen", u.floor.Root.Version))
	}
	return u.floor.checkRoot(fmt.Sprintf("root version %d", root.Version), root)
}

// rotate believes a newer root and makes that last at once: keys it took back are
// not to be believed again. A set that its keys did not sign ends here.
func (u *update) rotate(what string, data []byte) error {
	root, err := u.set.UpdateRoot(data)
	if errors.Is(err, &metadata.ErrBadVersionNumber{}) {
		return refuse(ReasonRollback, what, err)
	}
	if err != nil {
		return because(what, err)
	}
	if err := u.floor.checkRoot(what, &root.Signed); err != nil {
		return err
	}
	u.chain.Root = data
	set, err := u.chain.load(time.Time{})
	if err != nil {
		set = nil
	}
	return u.store(u.floor.rooted(&root.Signed), set)
}

func (u *update) timestamp(ctx context.Context) error {
	const what = "metadata/timestamp.json"
	data, err := u.fetch.bytes(ctx, what, maxTimestamp)
	if err != nil {
		return err
	}
	timestamp, err := u.set.UpdateTimestamp(data)
	if err != nil {
		return because(what, err)
	}
	u.chain.Timestamp = data
	root := &u.set.Root.Signed
	if err := u.floor.check(what, metadata.TIMESTAMP, timestamp.Signed.Version, root); err != nil {
		return err
	}
	next, err := named(what, timestamp.Signed.Meta, "snapshot.json")
	if err != nil {
		return err
	}
	return u.floor.check(what, metadata.SNAPSHOT, next.Version, root)
}

func (u *update) snapshot(ctx context.Context) error {
	meta := u.set.Timestamp.Signed.Meta["snapshot.json"]
	what := fmt.Sprintf("metadata/%d.snapshot.json", meta.Version)
	data, err := u.have(ctx, what, meta, u.chain.Snapshot, maxSnapshot)
	if err != nil {
		return err
	}
	snapshot, err := u.set.UpdateSnapshot(data, false)
	if err != nil {
		return because(what, err)
	}
	u.chain.Snapshot = data
	next, err := named(what, snapshot.Signed.Meta, "targets.json")
	if err != nil {
		return err
	}
	return u.floor.check(what, metadata.TARGETS, next.Version, &u.set.Root.Signed)
}

func (u *update) targets(ctx context.Context) error {
	meta := u.set.Snapshot.Signed.Meta["targets.json"]
	what := fmt.Sprintf("metadata/%d.targets.json", meta.Version)
	data, err := u.have(ctx, what, meta, u.chain.Targets, maxTargets)
	if err != nil {
		return err
	}
	if _, err := u.set.UpdateTargets(data); err != nil {
		return because(what, err)
	}
	u.chain.Targets = data
	return nil
}

// named is what a metadata file says of the next one in the chain.
func named(what string, meta map[string]*metadata.MetaFiles, name string) (*metadata.MetaFiles, error) {
	if next := meta[name]; next != nil {
		return next, nil
	}
	return nil, refuse(ReasonUnparsable, what, fmt.Errorf("it says nothing of %s", name))
}

// have returns the file that meta speaks of: the one from before if it is the very
// same, else the repository's.
func (u *update) have(ctx context.Context, what string, meta *metadata.MetaFiles, before []byte, limit int64) ([]byte, error) {
	if len(meta.Hashes) > 0 && meta.VerifyLengthHashes(before) == nil {
		return before, nil
	}
	if meta.Length > 0 {
		limit = min(limit, meta.Length)
	}
	return u.fetch.bytes(ctx, what, limit)
}

// keep makes the new set the one that is believed.
func (u *update) keep() (changed bool, err error) {
	changed = u.Client.set == nil || !bytes.Equal(u.chain.Targets, u.Client.chain.Targets)
	if !changed && u.unchanged() {
		return false, nil
	}
	return changed, u.store(u.floor.raised(u.set, u.at), u.set)
}

// unchanged reports whether there is nothing to write: the time alone is written
// once an hour.
func (u *update) unchanged() bool {
	return bytes.Equal(u.chain.Timestamp, u.Client.chain.Timestamp) && bytes.Equal(u.chain.Root, u.Client.chain.Root) &&
		u.at.Before(u.floor.Time.Add(time.Hour))
}

// store makes a floor and the chain last, and then believes them. The floor comes
// first: above what is believed it does no harm.
func (u *update) store(f floor, set *trustedmetadata.TrustedMetadata) error {
	if err := u.disk.saveState(u.path(floorFile), f); err != nil {
		return err
	}
	if err := u.disk.saveState(u.path(trustedFile), stored{u.anchor(), u.chain}); err != nil {
		return err
	}
	u.mu.Lock()
	u.Client.chain, u.Client.floor, u.Client.set = u.chain, f, set
	u.mu.Unlock()
	return nil
}
