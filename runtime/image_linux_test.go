package runtime

import (
	"os"
	"testing"

	"github.com/hive-spore/hive"
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
	if pageTracker() == nil {
		t.Fatal("no way to find written pages")
	}
}

// TestWithoutMappings: a process cannot have any number of them. Further instances
// are copies, and restored as well.
func TestWithoutMappings(t *testing.T) {
	before := mappings.Load()
	mappings.Store(maxMappings())
	s := skillOf(t, counter().bytes(), hive.Manifest{})
	for range 100 {
		wantResult(t, s.Call(t.Context(), Call{}), once)
	}
	if _, copied := idle(t, s).memory.space.(heap); !copied {
		t.Error("the instance is mapped")
	}
	mappings.Store(before)
	s.pool.discard(s.pool.take())
	wantResult(t, s.Call(t.Context(), Call{}), once)
	if mappings.Load() != before+1 {
		t.Errorf("%d mappings, want one more than %d", mappings.Load(), before)
	}
	s.pool.discard(s.pool.take())
	if mappings.Load() != before {
		t.Errorf("%d mappings, want %d", mappings.Load(), before)
	}
}

// TestGrownAndForgotten: an attempt that grew its memory and wrote to its end
// leaves nothing for the next, which finds the memory small again.
func TestGrownAndForgotten(t *testing.T) {
	for how, newImage := range mappedImages() {
		t.Run(how, func(t *testing.T) {
			e := newEngine(t, Options{})
			e.newImage = newImage
			last := int32(1000*pageSize - 4)
			grown := code([]byte{0x20, 0}, do, num(1000), grow, drop, num(last), num(1), []byte{0x36, 2, 0}, end)
			s := skillIn(t, e, reactor(grown, num(0)).bytes(), hive.Manifest{})
			wantResult(t, s.Call(t.Context(), Call{Payload: []byte("x")}), "")
			i := idle(t, s)
			m := i.memory.space.(*mapping)
			if left := m.base[last]; m.high != m.image.size() || left != 0 {
				t.Errorf("high is %d, the last byte %d", m.high, left)
			}
			wantResult(t, s.Call(t.Context(), Call{}), "")
		})
	}
}
