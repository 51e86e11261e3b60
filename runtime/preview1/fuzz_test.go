package preview1

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

// span is a part of a guest's memory: n bytes at ptr.
type span struct{ ptr, n uint64 }

// mayWrite returns the parts of its memory that a guest lets a call write to.
// No other byte may change.
func mayWrite(c caller, name string, p []uint64) []span {
	switch name {
	case "args_get":
		return []span{{p[0], 4 * uint64(len(worldArgs))}, {p[1], sizeOf(worldArgs)}}
	case "environ_get":
		return []span{{p[0], 4 * uint64(len(worldEnv))}, {p[1], sizeOf(worldEnv)}}
	case "args_sizes_get", "environ_sizes_get":
		return []span{{p[0], 4}, {p[1], 4}}
	case "clock_res_get":
		return []span{{p[1], 8}}
	case "clock_time_get":
		return []span{{p[2], 8}}
	case "random_get":
		return []span{{p[0], p[1]}}
	case "fd_fdstat_get":
		return []span{{p[1], 24}}
	case "fd_filestat_get":
		return []span{{p[1], statSize}}
	case "path_filestat_get":
		return []span{{p[4], statSize}}
	case "path_open":
		return []span{{p[8], 4}}
	case "path_readlink":
		return []span{{p[3], p[4]}, {p[5], 4}}
	case "fd_prestat_get":
		return []span{{p[1], 8}}
	case "fd_prestat_dir_name":
		return []span{{p[1], p[2]}}
	case "fd_readdir":
		return []span{{p[1], p[2]}, {p[4], 4}}
	case "fd_seek":
		return []span{{p[3], 8}}
	case "fd_tell":
		return []span{{p[1], 8}}
	case "fd_pread":
		return append(buffers(c, p[1], p[2]), span{p[4], 4})
	case "fd_write":
		return []span{{p[3], 4}}
	case "fd_read":
		return append(buffers(c, p[1], p[2]), span{p[3], 4})
	case "poll_oneoff":
		return []span{{p[1], eventSize * min(p[2], maxSubscriptions)}, {p[3], 4}}
	}
	return nil
}

// buffers returns those that a list describes. One that is filled may be the
// list itself, so everything is allowed where it lies in one of its buffers.
func buffers(c caller, list, n uint64) (all []span) {
	for i := range min(n, page/vectorSize) {
		b, ok := c.Memory().Read(uint32(list+i*vectorSize), vectorSize)
		if !ok {
			break
		}
		s := span{uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[4:]))}
		if s.n > 0 && s.ptr < list+n*vectorSize && list < s.ptr+s.n {
			return []span{{0, page}}
		}
		all = append(all, s)
	}
	return all
}

// FuzzFunctions calls every function with whatever parameters in whatever
// memory: it answers with a known errno or exits, and writes only where it was
// told to.
func FuzzFunctions(f *testing.F) {
	names, params := all()
	for i := range names {
		f.Add(uint8(i), uint64(0), uint64(16), uint64(1), uint64(64), []byte("\x20\x00\x00\x00\x08\x00\x00\x00"))
		f.Add(uint8(i), uint64(1), uint64(page-4), uint64(1<<29+1), uint64(1<<32-1), []byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
		f.Add(uint8(i), uint64(3), uint64(1), uint64(0), uint64(5), []byte("facts"))
		f.Add(uint8(i), uint64(4), uint64(16), uint64(1), uint64(64), []byte("0123456789abcdef\x20\x00\x00\x00\x08\x00\x00\x00"))
		f.Add(uint8(i), uint64(5), uint64(64), uint64(500), uint64(1), []byte("deep"))
	}
	tree := newTree(f)
	c := newCaller(f, ours, wazero.NewModuleConfig())
	f.Fuzz(func(t *testing.T, which uint8, a, b, d, e uint64, memory []byte) {
		c.t = t
		i := int(which) % len(names)
		p := []uint64{a, b, d, e, a, b, d, e, a}[:len(params[i])]
		for j, letter := range params[i] {
			if letter == 'i' {
				p[j] = uint64(uint32(p[j]))
			}
		}
		guest := memoryOfGuest(c)
		clear(guest)
		copy(guest, memory)
		before, allowed := bytes.Clone(guest), mayWrite(c, names[i], p)
		s := withFiles(t, tree)
		defer s.Close()
		s.World = fixed{new(countUp), func(time.Duration) {}}
		if answer := c.call(with(s), names[i], p...); !plausible(names[i], p, answer) {
			t.Errorf("%s%v = %d", names[i], p, answer)
		}
		for _, w := range allowed {
			from, to := min(w.ptr, page), min(w.ptr+w.n, page)
			copy(before[from:to], guest[from:to])
		}
		if !bytes.Equal(before, guest) {
			t.Errorf("%s%v wrote elsewhere than to %v", names[i], p, allowed)
		}
	})
}

// withFiles returns a State of which descriptor 3 is the tree, 4 a file and 5 a
// directory in it.
func withFiles(t *testing.T, tree string) *State {
	s := new(world).state()
	s.Stdout, s.Stderr = io.Discard, io.Discard
	s.Mounts = []Mount{{"/data", openRoot(t, tree)}}
	for fd, path := range map[uint64]string{4: "facts", 5: "sub"} {
		opened, err := s.entry(3).dir.open(path, fd == 5)
		if err != nil {
			t.Fatal(err)
		}
		*s.entry(fd) = opened
	}
	return s
}

// plausible reports whether a function may answer this.
func plausible(name string, p []uint64, answer int64) bool {
	if name == "proc_exit" {
		return answer == -int64(p[0])
	}
	known := []errno{success, badf, exist, fault, intr, inval, io_, isdir, loop, nametoolong, noent, nosys, notdir,
		notsock, perm, range_, rofs, spipe}
	return slices.Contains(known, errno(answer))
}
