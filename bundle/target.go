package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/hive-spore/hive"
)

// Where things lie in a repository, below its root.
const (
	metadataDir = "metadata" // N.root.json, N.targets.json, N.snapshot.json, timestamp.json
	targetsDir  = "targets"  // FOLDER/SHA256.NAME
	blobsDir    = "blobs/sha256"
	bundlesDir  = "bundles" // of targets: bundles/NAME/VERSION.json
)

var targetName = regexp.MustCompile(`^([a-z0-9][a-z0-9-]{0,63}/){1,4}[A-Za-z0-9][A-Za-z0-9.-]{0,99}$`)

// CheckTarget reports a name that no target has: those are FOLDER/NAME, at most four
// folders deep, without a way up or a hidden file.
func CheckTarget(name string) error {
	if !targetName.MatchString(name) {
		return refuse(ReasonInvalid, fmt.Sprintf("target %.80q", name), errors.New("want FOLDER/NAME of letters, digits, '-' and '.'"))
	}
	return nil
}

// Listed is a bundle that a repository lists.
type Listed struct {
	Name, Version string
	Digest        string // "sha256:" and 64 hex digits, of its manifest
	Size          int64  // bytes of its manifest
}

// TargetName is the bundle's name among the targets.
func (l Listed) TargetName() string { return path.Join(bundlesDir, l.Name, l.Version+".json") }

// listed reads a target as a bundle.
func listed(name string, t *metadata.TargetFiles) (l Listed, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 || parts[0] != bundlesDir || t == nil {
		return l, false
	}
	version, ok := strings.CutSuffix(parts[2], ".json")
	l = Listed{parts[1], version, digestOf(t.Hashes["sha256"]), t.Length}
	return l, ok && hive.CheckSkillName(l.Name) == nil && hive.CheckVersion(l.Version) == nil && digestForm.MatchString(l.Digest)
}

// Bundles returns what the repository lists, by name and version. Nothing that has
// expired is listed: the error says so.
func (c *Client) Bundles() ([]Listed, error) {
	set, err := c.current()
	if err != nil {
		return nil, err
	}
	return listedOf(set.Targets[metadata.TARGETS].Signed.Targets), nil
}

// listedOf are the bundles among targets.
func listedOf(targets targetFiles) (list []Listed) {
	for name, t := range targets {
		if l, ok := listed(name, t); ok {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(a, b Listed) int {
		if a.Name != b.Name {
			return strings.Compare(a.Name, b.Name)
		}
		return hive.CompareVersions(a.Version, b.Version)
	})
	return list
}

// Target returns the bytes of a target, as they were signed for.
func (c *Client) Target(ctx context.Context, name string) ([]byte, error) {
	if err := CheckTarget(name); err != nil {
		return nil, err
	}
	set, err := c.current()
	if err != nil {
		return nil, err
	}
	t := set.Targets[metadata.TARGETS].Signed.Targets[name]
	switch {
	case t == nil:
		return nil, refuse(ReasonNotListed, name, nil)
	case len(t.Hashes["sha256"]) != sha256.Size:
		return nil, refuse(ReasonUnparsable, name, errors.New("it was signed without a SHA-256"))
	case t.Length < 0 || t.Length > MaxTarget:
		return nil, refuse(ReasonTooLarge, name, fmt.Errorf("%d bytes, at most %d allowed", t.Length, MaxTarget))
	}
	file, err := c.blob(ctx, targetPath(name, t.Hashes["sha256"]), digestOf(t.Hashes["sha256"]), t.Length)
	if err != nil {
		return nil, err
	}
	data, err := c.disk.read(file, MaxTarget)
	if err != nil {
		return nil, diskError(name, err)
	}
	return data, because(name, t.VerifyLengthHashes(data))
}

// Bundle returns a bundle that the repository lists, as it was signed for. Its programs
// are fetched with Blob.
func (c *Client) Bundle(ctx context.Context, name, version string) (*Bundle, error) {
	target := Listed{Name: name, Version: version}.TargetName()
	data, err := c.Target(ctx, target)
	if err != nil {
		return nil, err
	}
	return decodeAs(target, data)
}

// decodeAs reads the bundle that a target's name says.
func decodeAs(target string, data []byte) (*Bundle, error) {
	b, err := Decode(data)
	if err != nil {
		return nil, refuse(ReasonUnparsable, target, err)
	}
	if (Listed{Name: b.Name, Version: b.Version}).TargetName() != target {
		return nil, refuse(ReasonInvalid, target, fmt.Errorf("it is the bundle %s", b))
	}
	return b, nil
}

// targetPath is where a target lies: each content under a name of its own, so that a
// file never changes.
func targetPath(name string, sum []byte) string {
	dir, base := path.Split(name)
	return path.Join(targetsDir, dir, hex.EncodeToString(sum)+"."+base)
}

// blobPath is where a program lies, in a repository and in what Import makes.
func blobPath(digest string) string { return path.Join(blobsDir, hexDigits(digest)+".wasm") }

// Blob returns a file with the bytes of a digest ("sha256:…") that a bundle names,
// fetched if it is not there yet. It is whole, and is to be read only.
func (c *Client) Blob(ctx context.Context, digest string, size int64) (path string, err error) {
	if !digestForm.MatchString(digest) {
		return "", refuse(ReasonInvalid, fmt.Sprintf("digest %.80q", digest), errors.New("want sha256: and 64 lower-case hex digits"))
	}
	if size < 0 || size > MaxProgram {
		return "", refuse(ReasonTooLarge, digest, fmt.Errorf("%d bytes, at most %d allowed", size, MaxProgram))
	}
	return c.blob(ctx, blobPath(digest), digest, size)
}

func (c *Client) blobDir() string { return c.path("blobs") }

// blob returns the file of a content, from before or from the repository.
func (c *Client) blob(ctx context.Context, remote, digest string, size int64) (string, error) {
	file := filepath.Join(c.blobDir(), hexDigits(digest))
	if holds(file, digest, size) {
		return file, nil
	}
	if info, err := os.Lstat(file); err == nil && info.IsDir() {
		_ = os.RemoveAll(file) // or nothing could take its name
	}
	err := c.disk.stream(file, func(w io.Writer) error {
		h, n := sha256.New(), counter(0)
		if err := c.fetch.copy(ctx, io.MultiWriter(w, h, &n), remote, size); err != nil {
			return err
		}
		if int64(n) != size || digestOf(h.Sum(nil)) != digest {
			return refuse(ReasonBadHash, remote, nil)
		}
		return nil
	})
	return file, diskError(remote, err)
}

// Sweep removes what was fetched before, but for what is a target now and for programs
// whose digests keep has. They are fetched again where they are asked for.
func (c *Client) Sweep(keep func(digest string) bool) error {
	c.mu.Lock()
	set := c.set
	c.mu.Unlock()
	entries, err := os.ReadDir(c.blobDir())
	if err != nil || set == nil {
		return diskError(c.o.State, err)
	}
	targets := map[string]bool{}
	for _, t := range set.Targets[metadata.TARGETS].Signed.Targets {
		targets[digestOf(t.Hashes["sha256"])] = true
	}
	var errs []error
	for _, e := range entries {
		if digest := "sha256:" + e.Name(); digestForm.MatchString(digest) && !targets[digest] && !keep(digest) {
			errs = append(errs, os.RemoveAll(filepath.Join(c.blobDir(), e.Name())))
		}
	}
	return diskError(c.o.State, errors.Join(errs...))
}

// holds reports whether a file is there and whole.
func holds(file, digest string, size int64) bool {
	info, err := os.Lstat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() != size {
		return false
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return err == nil && digestOf(h.Sum(nil)) == digest
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
