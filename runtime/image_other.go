//go:build !linux

package runtime

// newImage saves a memory.
func newImage(b []byte) image { return newHeapImage(b) }
