package ota

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program is what the skills of bundleOf run.
var program = []byte("\x00asm of all birds")

// nexusKey signs sets in the scripts.
var nexusKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func digestOfBytes(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
