package bundle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// maxNexusTarget bounds what a chain holds of keys/nexus.json, in bytes.
const maxNexusTarget = 4 << 10

// carried is the chain of a .hive file: what a publisher signed, so that whoever has a
// root of his knows whose the bundle is. Nothing in it says that there is no newer list:
// that is for a timestamp, which is no use in a file.
type carried struct {
	Roots   [][]byte `json:"roots"`           // each root after the first, in order
	Targets []byte   `json:"targets"`         // the list
	Nexus   []byte   `json:"nexus,omitempty"` // the target keys/nexus.json, which the list names
}

func (c *carried) validate() error {
	if len(c.Roots) > maxRotations {
		return fmt.Errorf("%d roots, at most %d allowed", len(c.Roots), maxRotations)
	}
	for _, root := range c.Roots {
		if len(root) > maxRoot {
			return fmt.Errorf("a root of %w", tooLong(len(root), maxRoot))
		}
	}
	switch {
	case len(c.Targets) > maxTargets:
		return fmt.Errorf("a list of %w", tooLong(len(c.Targets), maxTargets))
	case len(c.Nexus) > maxNexusTarget:
		return fmt.Errorf("%s of %w", NexusKeysTarget, tooLong(len(c.Nexus), maxNexusTarget))
	}
	return nil
}

// Chain returns what signs for a bundle that the repository lists now, for Export.
func (c *Client) Chain(ctx context.Context, b *Bundle) ([]byte, error) {
	set, err := c.current()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	v := &carried{Roots: [][]byte{}, Targets: c.chain.Targets}
	c.mu.Unlock()
	if v.Roots, err = c.olderRoots(ctx, set.Root.Signed.Version); err != nil {
		return nil, err
	}
	v.Nexus, err = c.Target(ctx, NexusKeysTarget)
	if err != nil && Reason(err) != ReasonNotListed {
		return nil, err
	}
	chain, err := spell(v, new(carried), MaxChain)
	if err != nil {
		return nil, refuse(ReasonInvalid, "the chain", err)
	}
	now, err := c.now()
	if err != nil {
		return nil, err
	}
	_, err = VerifyChain(chain, c.o.Root, b, now)
	return chain, err
}

// olderRoots are the roots from the second on. What comes before this client's own root
// need not be there.
func (c *Client) olderRoots(ctx context.Context, newest int64) ([][]byte, error) {
	first, err := (chain{Root: c.o.Root}).root()
	if err != nil {
		return nil, err
	}
	roots := [][]byte{}
	for version := int64(2); version <= newest; version++ {
		data, err := c.fetch.bytes(ctx, metadataName(version, metadata.ROOT), maxRoot)
		switch {
		case err == nil:
			roots = append(roots, data)
		case Reason(err) == ReasonMissing && version <= first.Root.Signed.Version:
			roots = roots[:0]
		default:
			return nil, err
		}
	}
	return roots, nil
}

// Signed is what a chain says once it is verified.
type Signed struct {
	Root    int64     // version of the root that names the keys
	List    int64     // version of the list of targets
	Expires time.Time // of the list
}

// VerifyChain checks a .hive file's chain as of a time: from a root on that is trusted,
// the keys of a publisher signed a list, and it names the bundle.
func VerifyChain(chain, root []byte, b *Bundle, at time.Time) (*Signed, error) {
	trusted, err := trustRoot(root)
	if err != nil {
		return nil, err
	}
	l, err := readChain(b, chain, trusted, at)
	if err != nil {
		return nil, err
	}
	return &Signed{l.set.Root.Signed.Version, l.targets.Signed.Version, l.targets.Signed.Expires}, nil
}

// trustRoot begins trust with a root.
func trustRoot(root []byte) (*trustedmetadata.TrustedMetadata, error) {
	return (chain{Root: root}).root()
}

// carriedList is a chain that was verified.
type carriedList struct {
	carried
	set     *trustedmetadata.TrustedMetadata // with its newest root
	newer   [][]byte                         // of its roots those that came after the trusted one
	targets *metadata.Metadata[metadata.TargetsType]
}

// readChain verifies a chain from what is trusted on, which goes forward with it.
func readChain(b *Bundle, chain []byte, trusted *trustedmetadata.TrustedMetadata, at time.Time) (_ *carriedList, err error) {
	const what = "the chain"
	defer recovered(what, &err)
	if len(chain) == 0 {
		return nil, refuse(ReasonBadSignature, "the bundle", errors.New("its file carries no signatures; nexus bundle export writes one that does"))
	}
	l := &carriedList{set: trusted}
	if err := parse(chain, &l.carried, MaxChain); err != nil {
		return nil, refuse(ReasonUnparsable, what, err)
	}
	if err := l.follow(); err != nil {
		return nil, err
	}
	if err := l.list(at); err != nil {
		return nil, err
	}
	return l, l.names(b)
}

// follow follows the roots that are newer than what is trusted.
func (l *carriedList) follow() error {
	for i, data := range l.Roots {
		what := fmt.Sprintf("root %d of the chain", i+1)
		root, err := metadata.Root().FromBytes(data)
		if err != nil {
			return refuse(ReasonUnparsable, what, err)
		}
		if root.Signed.Version <= l.set.Root.Signed.Version {
			continue
		}
		if _, err := l.set.UpdateRoot(data); err != nil {
			return because(what, err)
		}
		l.newer = append(l.newer, data)
	}
	return nil
}

// list reads the list of targets.
func (l *carriedList) list(at time.Time) (err error) {
	const what = "the list of targets"
	if l.set.Root.Signed.IsExpired(at) {
		return refuse(ReasonExpired, "root", nil)
	}
	if l.targets, err = new(metadata.Metadata[metadata.TargetsType]).FromBytes(l.Targets); err != nil {
		return refuse(ReasonUnparsable, what, err)
	}
	if err := l.set.Root.VerifyDelegate(metadata.TARGETS, l.targets); err != nil {
		return because(what, err)
	}
	if l.targets.Signed.IsExpired(at) {
		return refuse(ReasonExpired, what, nil)
	}
	return nil
}

// names checks that the list names a bundle, with these bytes.
func (l *carriedList) names(b *Bundle) error {
	data, err := b.Encode()
	if err != nil {
		return err
	}
	target := Listed{Name: b.Name, Version: b.Version}.TargetName()
	return l.isListed(target, data)
}

func (l *carriedList) isListed(target string, data []byte) error {
	t := l.targets.Signed.Targets[target]
	switch {
	case t == nil:
		return refuse(ReasonNotListed, target, nil)
	case digestOf(t.Hashes["sha256"]) != digested(data) || t.Length != int64(len(data)):
		return refuse(ReasonBadHash, target, nil)
	}
	return nil
}
