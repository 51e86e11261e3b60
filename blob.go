package hive

import (
	"fmt"
	"regexp"
)

// Blob is a payload or a result that stands on the road apart from records, which only name
// it: once, however many do.
type Blob struct {
	Digest string `json:"digest"` // "sha256:" and 64 hexadecimal digits
	Size   int64  `json:"size"`   // bytes
}

var blobDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// None reports whether it names nothing.
func (b Blob) None() bool { return b == Blob{} }

// Validate reports what is wrong with the blob; none is right.
func (b Blob) Validate() error {
	switch {
	case b.None():
		return nil
	case !blobDigest.MatchString(b.Digest):
		return fmt.Errorf("blob %.80q: want sha256: and 64 hexadecimal digits", b.Digest)
	case b.Size < 0 || b.Size > MaxPayload:
		return fmt.Errorf("blob of %d bytes: at most %d allowed: %w", b.Size, MaxPayload, ErrTooLarge)
	}
	return nil
}
