package runtime

import (
	"os"
	"testing"
)

// mappedImages are the images of this kernel, by how they are restored: with and
// without PAGEMAP_SCAN, and without counts of page faults.
func mappedImages() map[string]func([]byte) image {
	file, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return nil
	}
	with := func(track *tracker) func([]byte) image {
		return func(b []byte) image {
			i, err := newMappedImage(b, track)
			if err != nil {
				panic(err)
			}
			return i
		}
	}
	ways := map[string]func([]byte) image{}
	uncounted := newPagemapTracker(file)
	ways["pagemap"] = with(uncounted)
	if usual := pageTracker(); usual != nil {
		ways[usual.how] = with(usual)
		counted := newPagemapTracker(file)
		counted.faults = usual.faults
		ways["pagemap and faults"] = with(counted)
	}
	return ways
}

// TestTracker: the kernel of this machine lets images be mapped. Where it does
// not, the tests that go through every way would not notice.
func TestTracker(t *testing.T) {
	track := pageTracker()
	if track == nil {
		t.Fatal("no way to find written pages")
	}
	if !track.faults {
		t.Error("page faults of a thread are not counted")
	}
}
