package bundle

import (
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Standing says until when what was signed is good, also when that is over.
type Standing struct {
	Root *RootInfo
	// Expires is by role. One is missing of which there is nothing that the keys of its
	// role signed.
	Expires map[string]time.Time
}

// Standing reads what lies in the folder. It takes no turn and changes nothing.
func (r *Repository) Standing() (s *Standing, err error) {
	defer recovered(r.dir, &err)
	set, err := r.trusted()
	if err != nil {
		return nil, err
	}
	root := &set.Root.Signed
	s = &Standing{infoOf(root), map[string]time.Time{RoleRoot: root.Expires}}
	if targets, _, err := newest[metadata.TargetsType](r, set, metadata.TARGETS); err == nil {
		s.Expires[RoleTargets] = targets.Signed.Expires
	}
	if snapshot, _, err := newest[metadata.SnapshotType](r, set, metadata.SNAPSHOT); err == nil {
		s.Expires[RoleSnapshot] = snapshot.Signed.Expires
	}
	data, err := r.disk.read(r.path(metadataDir+"/timestamp.json"), maxTimestamp)
	if err != nil {
		return s, nil
	}
	timestamp, err := metadata.Timestamp().FromBytes(data)
	if err == nil && set.Root.VerifyDelegate(metadata.TIMESTAMP, timestamp) == nil {
		s.Expires[RoleTimestamp] = timestamp.Signed.Expires
	}
	return s, nil
}

// Standing is of what the client believes. Nothing of that has expired.
func (c *Client) Standing() (*Standing, error) {
	set, err := c.current()
	if err != nil {
		return nil, err
	}
	return &Standing{infoOf(&set.Root.Signed), map[string]time.Time{
		RoleRoot:      set.Root.Signed.Expires,
		RoleTargets:   set.Targets[metadata.TARGETS].Signed.Expires,
		RoleSnapshot:  set.Snapshot.Signed.Expires,
		RoleTimestamp: set.Timestamp.Signed.Expires,
	}}, nil
}
