package hive

import (
	"fmt"
	"regexp"
	"strings"
)

// preRelease is one dotted part of a pre-release: a number without leading
// zeros, or a word.
const preRelease = `(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)`

var (
	skillName   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,47}$`)
	semver      = regexp.MustCompile(`^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-` + preRelease + `(\.` + preRelease + `)*)?$`)
	skillDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// SkillRef names a skill: any version of it ("secscan"), one version
// ("secscan@1.2.0") or one program ("secscan@sha256:…").
type SkillRef struct {
	Name string
	// Pin is empty, a semantic version, or "sha256:" and 64 hex digits.
	Pin string
}

// ParseSkillRef reads NAME, NAME@VERSION or NAME@sha256:DIGEST.
func ParseSkillRef(s string) (SkillRef, error) {
	name, pin, pinned := strings.Cut(s, "@")
	if pinned && pin == "" {
		return SkillRef{}, fmt.Errorf("skill %.80q: nothing after '@'", s)
	}
	r := SkillRef{name, pin}
	if err := r.Validate(); err != nil {
		return SkillRef{}, err
	}
	return r, nil
}

// Validate reports a name or pin that cannot be.
func (r SkillRef) Validate() error {
	if err := CheckSkillName(r.Name); err != nil {
		return err
	}
	if r.Pin == "" || skillDigest.MatchString(r.Pin) {
		return nil
	}
	if strings.HasPrefix(r.Pin, "sha256:") {
		return fmt.Errorf("digest %.80q: want sha256: and 64 lower-case hex digits", r.Pin)
	}
	return CheckVersion(r.Pin)
}

// String returns the reference as ParseSkillRef reads it.
func (r SkillRef) String() string {
	if r.Pin == "" {
		return r.Name
	}
	return r.Name + "@" + r.Pin
}

// Matches reports whether a skill of this name, version and digest
// ("sha256:…") is one that r names.
func (r SkillRef) Matches(name, version, digest string) bool {
	return r.Name == name && (r.Pin == "" || r.Pin == version || r.Pin == digest)
}

// CheckSkillName reports a name that is not 1 to 48 of a-z, 0-9 and '-'
// beginning with a letter.
func CheckSkillName(name string) error { return checkName("skill", name) }

// checkName is CheckSkillName of what has a name like that.
func checkName(what, name string) error {
	if !skillName.MatchString(name) {
		return fmt.Errorf("%s name %.80q: want 1 to 48 of a-z, 0-9 and '-', beginning with a letter", what, name)
	}
	return nil
}

// CheckVersion reports a version that is not semantic (1.2.3 or 1.2.3-rc.1).
// Build metadata (1.2.3+linux) is refused: it has no place in the order.
func CheckVersion(v string) error {
	if len(v) > 64 || !semver.MatchString(v) {
		return fmt.Errorf("version %.80q: want a semantic version such as 1.2.3", v)
	}
	return nil
}

// WorkingCopy ends the version of a skill that follows its sources as they are
// saved: the one kind of version that may change. As a pre-release it comes before
// the version it leads to.
const WorkingCopy = "-watch"

// IsWorkingCopy reports whether a version is one that may change.
func IsWorkingCopy(version string) bool { return strings.HasSuffix(version, WorkingCopy) }

// CompareVersions orders two valid semantic versions by semver.org §11:
// negative if a comes before b.
func CompareVersions(a, b string) int {
	coreA, preA, _ := strings.Cut(a, "-")
	coreB, preB, _ := strings.Cut(b, "-")
	if c := compareDotted(coreA, coreB); c != 0 {
		return c
	}
	switch {
	case preA == preB:
		return 0
	case preA == "":
		return 1
	case preB == "":
		return -1
	}
	return compareDotted(preA, preB)
}

func compareDotted(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		if c := compareIdent(as[i], bs[i]); c != 0 {
			return c
		}
	}
	return len(as) - len(bs)
}

// compareIdent orders numbers before words, numbers by value, words by bytes.
func compareIdent(a, b string) int {
	numA, numB := isNumber(a), isNumber(b)
	switch {
	case numA && !numB:
		return -1
	case numB && !numA:
		return 1
	case numA && len(a) != len(b): // no leading zeros: the longer is larger
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }
