package hostfuncs

import (
	"bytes"
	"encoding/hex"
	"io"
	"testing"

	"github.com/hive-spore/hive"
)

func TestRandom(t *testing.T) {
	g := newGrantee(t, &Attempt{})
	memory, _ := g.module.Memory().Read(0, granteePages*page)
	clear(memory)
	g.wants(0, "random", 100, maxRandom)
	if n := bytes.Count(memory, []byte{0}); len(memory)-n < maxRandom*9/10 || len(memory)-n > maxRandom {
		t.Errorf("%d bytes are not 0, want about %d", len(memory)-n, maxRandom)
	}
	if !bytes.Equal(memory[:100], make([]byte, 100)) || memory[100+maxRandom] != 0 {
		t.Error("more was filled than was asked for")
	}
	g.wants(0, "random", 0, 0)
	g.wants(0, "random", granteePages*page, 0)
	g.wants(errInvalid, "random", 0, maxRandom+1)
	g.refuses("random", []uint64{0, 0}, 0)
}

// TestTaskRandom: the numbers are those of the id, today and in a later version.
func TestTaskRandom(t *testing.T) {
	first := make([]byte, 16)
	if _, err := io.ReadFull(TaskRandom("d237"), first); err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(first), "5d4c545652bdffcd137b0399b33d021c"; got != want {
		t.Errorf("task d237 begins with %s, want %s", got, want)
	}
	g := newGrantee(t, &Attempt{Task: Task{ID: "d237"}, Allow: hive.Allow{Random: hive.SourceTask}})
	g.wants(0, "random", 0, 3) // in pieces they are the same
	g.wants(0, "random", 3, 13)
	if memory, _ := g.module.Memory().Read(0, 16); !bytes.Equal(memory, first) {
		t.Errorf("in pieces they are %x, want %x", memory, first)
	}
	other := make([]byte, 16)
	if _, err := io.ReadFull(TaskRandom("d238"), other); err != nil || bytes.Equal(first, other) {
		t.Errorf("another task's are the same, %v", err)
	}
}

// FuzzRandom: what lies outside of what was asked for stays.
func FuzzRandom(f *testing.F) {
	f.Add(uint32(0), uint32(8))
	f.Add(uint32(1<<32-1), uint32(1<<32-1))
	f.Add(uint32(granteePages*page-1), uint32(1))
	g := newGrantee(f, &Attempt{Task: Task{ID: "d237"}, Allow: hive.Allow{Random: hive.SourceTask}})
	f.Fuzz(func(t *testing.T, ptr, n uint32) {
		g.TB = t
		memory, _ := g.module.Memory().Read(0, granteePages*page)
		clear(memory)
		code := g.raw("random", uint64(ptr), uint64(n))
		if code > 0 || code < errInvalid {
			t.Errorf("random(%d, %d) = %d", ptr, n, code)
		}
		if code == 0 {
			clear(memory[ptr : ptr+n])
		}
		if bytes.Trim(memory, "\x00") != nil {
			t.Errorf("random(%d, %d) = %d filled more than that", ptr, n, code)
		}
	})
}
