//go:build wasip1

// Command secscan is a skill that looks through one text file for leaked secrets, for insecure code
// and settings, and for dependencies nobody pinned.
//
// It takes {"path": "...", "text": "..."} and answers {"findings": [...]}. The path is never opened: it
// only tells which rules apply. A hive runs one task per file, so a repository is scanned by as many
// nodes as there are.
package main

import "runtime/debug"

// The garbage collector works harder before the 128 MB of the manifest are used up.
var _ = debug.SetMemoryLimit(96 << 20)

func run(input []byte) ([]byte, error) {
	result, err := answer(input)
	return result, Permanent(err) // the same request is as bad the next time
}
