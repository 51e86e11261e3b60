// Package bundle is how skills reach spores over the air: bundles, the keys that
// sign for them, the repository that offers them and the client that checks every
// byte of it.
//
// A [Bundle] is a text that names skills and the digests of their programs; it has
// one spelling, so that its own digest names all of it. Programs lie beside it, each
// under its digest. A publisher signs for both by The Update Framework (TUF), and
// [Export] puts all of it into one file that can be carried by hand.
//
// What comes from outside is hostile until a signature and a digest say otherwise:
// it is bounded before it is read, and refused in one line.
package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/manifest"
)

// What a bundle may hold at most. Sizes are bytes.
const (
	MaxBundle   = 4 << 20  // its encoding
	MaxSkills   = 256      // skills in it
	MaxProgram  = 64 << 20 // one program
	MaxPrograms = 1 << 30  // all programs, each counted once

	maxDescription = 1 << 10
)

// Skill is a manifest, and digest and size of the program it speaks for.
type Skill = hive.Skill

// Bundle is a set of skills that travel together. Its name is one a skill could
// have; its version is semantic.
type Bundle struct {
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	Description string    `json:"description,omitempty"`
	Created     time.Time `json:"created"` // in UTC, whole seconds
	Skills      []Skill   `json:"skills"`
}

// String is the bundle's name and version.
func (b *Bundle) String() string { return b.Name + "@" + b.Version }

// Encode returns the one spelling of a bundle: JSON with the members of every object
// in the order of their names and without white space, strings escaped where they must
// be, numbers as they were written. A bundle that Decode would refuse is refused.
func (b *Bundle) Encode() ([]byte, error) {
	if err := b.validate(); err != nil {
		return nil, err
	}
	data, err := b.spell()
	if err != nil {
		return nil, err
	}
	if len(data) > MaxBundle {
		return nil, fmt.Errorf("bundle: %d bytes, at most %d allowed: %w", len(data), MaxBundle, hive.ErrTooLarge)
	}
	return data, nil
}

func (b *Bundle) spell() ([]byte, error) {
	exact := *b
	exact.Created = b.Created.UTC().Truncate(time.Second)
	data, err := json.Marshal(exact)
	if err != nil {
		return nil, wrong("bundle", err)
	}
	return canonical("bundle", data)
}

// Digest is "sha256:" and 64 hex digits that name all of the bundle, or empty for
// one that cannot be encoded.
func (b *Bundle) Digest() string {
	data, err := b.Encode()
	if err != nil {
		return ""
	}
	return digested(data)
}

// digested is the digest of data, digestOf one that is there as its 32 bytes.
func digested(data []byte) string {
	sum := sha256.Sum256(data)
	return digestOf(sum[:])
}

func digestOf(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }

// Decode reads what Encode wrote and nothing else: each bundle has one spelling, so
// that no two readers can see different things in the same bytes.
func Decode(data []byte) (*Bundle, error) {
	if len(data) > MaxBundle {
		return nil, fmt.Errorf("bundle: %d bytes, at most %d allowed: %w", len(data), MaxBundle, hive.ErrTooLarge)
	}
	if _, err := canonical("bundle", data); err != nil {
		return nil, err
	}
	var b Bundle
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		return nil, wrong("bundle", err)
	}
	spelled, err := b.spell()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(spelled, data) {
		return nil, fmt.Errorf("bundle: not in its one spelling, from byte %d on; nexus bundle create writes it", parting(spelled, data))
	}
	if err := b.validate(); err != nil {
		return nil, err
	}
	return &b, nil
}

// parting is the offset of the first byte that is not the same in both.
func parting(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// validate reports the first thing that is wrong with a bundle.
func (b *Bundle) validate() error {
	if err := hive.CheckSkillName(b.Name); err != nil {
		return fmt.Errorf("bundle: %s", strings.TrimPrefix(err.Error(), "skill "))
	}
	if err := hive.CheckVersion(b.Version); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	switch {
	case len(b.Description) > maxDescription || !utf8.ValidString(b.Description) || strings.ContainsFunc(b.Description, unicode.IsControl):
		return fmt.Errorf("bundle: description: want one line of at most %d bytes", maxDescription)
	case b.Created.UTC().Year() < 2000 || b.Created.UTC().Year() > 9999:
		return errors.New("bundle: created: want a time of the years 2000 to 9999")
	case len(b.Skills) == 0:
		return errors.New("bundle: skills: none; a bundle holds one or more")
	case len(b.Skills) > MaxSkills:
		return fmt.Errorf("bundle: skills: %d of them, at most %d allowed", len(b.Skills), MaxSkills)
	}
	if err := b.checkPrograms(); err != nil {
		return err
	}
	return b.checkSkills()
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// checkPrograms holds what the skills say of their programs.
func (b *Bundle) checkPrograms() error {
	sizes, total := map[string]int64{}, int64(0)
	for i, s := range b.Skills {
		where := fmt.Sprintf("bundle: skill %d", i+1)
		switch size, known := sizes[s.Digest]; {
		case !digestForm.MatchString(s.Digest):
			return fmt.Errorf("%s: digest %.80q: want sha256: and 64 lower-case hex digits", where, s.Digest)
		case s.Size < 1 || s.Size > MaxProgram:
			return fmt.Errorf("%s: size %d: want 1 to %d bytes", where, s.Size, MaxProgram)
		case known && size != s.Size:
			return fmt.Errorf("%s: size %d, and %d for the same digest before", where, s.Size, size)
		case !known:
			sizes[s.Digest] = s.Size
			total += s.Size
		}
	}
	if total > MaxPrograms {
		return fmt.Errorf("bundle: programs of %d bytes, at most %d allowed: %w", total, MaxPrograms, hive.ErrTooLarge)
	}
	return nil
}

// checkSkills holds every manifest against the rules for manifests, and no skill to
// be there twice. Versions that differ in case only would be one file on some disks.
func (b *Bundle) checkSkills() error {
	seen := map[string]bool{}
	for i := range b.Skills {
		m := &b.Skills[i].Manifest
		if err := manifest.ValidateManifest(m); err != nil {
			return wrong(fmt.Sprintf("bundle: skill %d", i+1), err)
		}
		id := strings.ToLower(m.Name + "@" + m.Version)
		if seen[id] {
			return fmt.Errorf("bundle: skill %d: %s@%s is there twice", i+1, m.Name, m.Version)
		}
		seen[id] = true
	}
	return nil
}

// program is what a bundle says of one program, whatever number of skills it serves.
type program struct {
	digest string
	size   int64
}

// programs lists each program once, in the order of digests.
func (b *Bundle) programs() (list []program) {
	sizes := map[string]int64{}
	for _, s := range b.Skills {
		sizes[s.Digest] = s.Size
	}
	for _, digest := range slices.Sorted(maps.Keys(sizes)) {
		list = append(list, program{digest, sizes[digest]})
	}
	return list
}

// hexDigits are the digits of a digest, which name its file.
func hexDigits(digest string) string { return strings.TrimPrefix(digest, "sha256:") }
