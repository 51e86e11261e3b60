package runtime

import "slices"

// image is a memory as it was, which instances begin with and return to.
type image interface {
	// space returns one that begins with the image.
	space(limit uint64) (space, error)
	size() uint64
	// how says in a few words how instances return to it.
	how() string
	close() error
}

// heapImage is an image on every system: instances hold a copy of it, and all of
// it is copied again after each attempt.
type heapImage []byte

func newHeapImage(b []byte) image { return heapImage(slices.Clone(b)) }

func (i heapImage) space(uint64) (space, error) { return heap{i}, nil }
func (i heapImage) size() uint64                { return uint64(len(i)) }
func (i heapImage) how() string                 { return "whole copy" }
func (i heapImage) close() error                { return nil }
