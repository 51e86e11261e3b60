package preview1

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// step is one call of a guest.
type step struct {
	name   string
	params []uint64
}

func do(name string, params ...uint64) step { return step{name, params} }

// pair is one guest under two implementations, in two equal worlds.
type pair struct {
	ours, wazeros         caller
	oursWorld, wazerosOne *world
	state                 *State
}

// newPair prepares memory: text at 0, lists of buffers at 1000 and 1100. The
// directories are mounted as "/".
func newPair(t *testing.T, dirs ...string) *pair {
	p := &pair{oursWorld: new(world), wazerosOne: new(world)}
	p.state = p.oursWorld.state()
	config := p.wazerosOne.config()
	for _, dir := range dirs {
		p.state.Mounts = append(p.state.Mounts, Mount{"/", openRoot(t, dir)})
		config = config.WithFSConfig(wazerosMount(openRoot(t, dir)))
	}
	t.Cleanup(p.state.Close)
	p.ours = newCaller(t, ours, wazero.NewModuleConfig())
	p.wazeros = newCaller(t, wazeros, config)
	for _, c := range []caller{p.ours, p.wazeros} {
		c.Memory().WriteString(0, "a line\nand a half")
		c.put(1000, 0, 7, 500, 0, 7, 10)             // a line, nothing, and a half
		c.put(1100, 2000, 4, 500, 0, 3000, 10)       // buffers to read to
		c.put(1200, page-4, 4, page-4, 5)            // the second is outside
		c.put(1300, 4000, 1000)                      // more than there is
		c.putSub(1400, 41, sub{kindClock, 1, 70, 0}) // sleep
		c.putSub(1500, 42, sub{kindClock, 1, 0, 2})  // no such flag
		c.putSub(1600, 43, sub{3, 0, 0, 0})          // no such kind
		c.putSub(1700, 44, sub{kindClock, 1, 5, clockAbsolute})
	}
	return p
}

// run does the step in both and returns both answers.
func (p *pair) run(s step) (int64, int64) {
	return p.ours.call(with(p.state), s.name, s.params...), p.wazeros.call(with(nil), s.name, s.params...)
}

// differences tells what the two worlds do not share.
func (p *pair) differences() (list []string) {
	a, b := memoryOfGuest(p.ours), memoryOfGuest(p.wazeros)
	for i := range a {
		if a[i] != b[i] {
			list = append(list, fmt.Sprintf("memory at %d is %d, %d with wazero's", i, a[i], b[i]))
			break
		}
	}
	for _, pair := range [][2]any{
		{p.oursWorld.stdout.String(), p.wazerosOne.stdout.String()},
		{p.oursWorld.stderr.String(), p.wazerosOne.stderr.String()},
		{fmt.Sprint(p.oursWorld.slept), fmt.Sprint(p.wazerosOne.slept)},
	} {
		if pair[0] != pair[1] {
			list = append(list, fmt.Sprintf("%q, %q with wazero's", pair[0], pair[1]))
		}
	}
	return list
}

func memoryOfGuest(c api.Module) []byte { b, _ := c.Memory().Read(0, c.Memory().Size()); return b }

// nowhere is an address that no guest has, and a descriptor.
const nowhere = 1<<32 - 1

// alike are calls whose answers are those of wazero's.
var alike = []step{
	do("args_sizes_get", 100, 104), do("args_get", 200, 300), do("args_get", page-16, 300), do("args_get", page-15, 300),
	do("args_get", 200, page-16), do("args_get", 200, page-10), do("args_sizes_get", nowhere, 104), do("args_sizes_get", 100, page-3),
	do("environ_sizes_get", 100, 104), do("environ_get", 200, 300), do("environ_get", nowhere, 0), do("environ_sizes_get", page, 0),
	do("clock_res_get", 0, 100), do("clock_res_get", 1, 108), do("clock_res_get", 2, 100), do("clock_res_get", 0, page-7),
	do("clock_time_get", 0, 0, 100), do("clock_time_get", 1, 1<<63, 108), do("clock_time_get", 2, 0, 100),
	do("clock_time_get", 3, 0, 100), do("clock_time_get", nowhere, 0, 100), do("clock_time_get", 0, 0, page-7),
	do("random_get", 600, 33), do("random_get", page-1, 1), do("random_get", page, 0), do("random_get", page, 1), do("random_get", 0, nowhere),
	do("fd_write", 1, 1000, 3, 100), do("fd_write", 2, 1000, 1, 100), do("fd_write", 1, 1000, 0, 100), do("fd_write", 0, 1000, 3, 100),
	do("fd_write", 3, 1000, 3, 100), do("fd_write", nowhere, 1000, 3, 100), do("fd_write", 1, page-7, 1, 100),
	do("fd_write", 1, 1000, 1<<28, 100),
	do("fd_read", 0, 1100, 3, 100), do("fd_read", 0, 1100, 0, 100), do("fd_read", 0, 1300, 1, 100), do("fd_read", 0, 1300, 1, 100),
	do("fd_read", 0, page-7, 1, 100), do("fd_read", 3, 1100, 1, 100), do("fd_read", 1, 1100, 3, 100),
	do("fd_filestat_get", 0, 100), do("fd_filestat_get", 2, 100), do("fd_filestat_get", 3, 100), do("fd_filestat_get", 1, page-63),
	do("fd_fdstat_get", 3, 100), do("fd_fdstat_get", 1, page-23), do("fd_fdstat_set_flags", 1, 0), do("fd_fdstat_set_flags", 1, flagAppend),
	do("fd_fdstat_set_flags", 1, 2), do("fd_fdstat_set_flags", 4, 0), do("fd_fdstat_set_rights", 1, 0, 0),
	do("fd_advise", 1, 0, 0, 0), do("fd_advise", 1, 0, 0, 6), do("fd_advise", 3, 0, 0, 0),
	do("fd_sync", 1), do("fd_sync", 5), do("fd_datasync", 1), do("fd_datasync", 5),
	do("fd_allocate", 1, 0, 5), do("fd_allocate", 5, 0, 5), do("fd_filestat_set_size", 1, 5), do("fd_filestat_set_size", 5, 5),
	do("fd_filestat_set_times", 5, 5, 5, 1),
	do("fd_prestat_get", 3, 100), do("fd_prestat_get", nowhere, 100), do("fd_prestat_dir_name", 3, 100, 4), do("fd_readdir", 1, 100, 100, 0, 50),
	do("fd_seek", 3, 0, 0, 100), do("fd_tell", 3, 100), do("fd_pread", 3, 1100, 1, 0, 100), do("fd_pwrite", 3, 1000, 1, 0, 100),
	do("path_open", 3, 0, 0, 6, 0, 0, 0, 0, 100), do("path_open", 1, 0, 0, 6, 0, 0, 0, 0, 100),
	do("path_create_directory", 1, 0, 6), do("path_filestat_get", 1, 0, 0, 6, 100), do("path_filestat_set_times", 1, 0, 0, 6, 0, 0, 0),
	do("path_link", 1, 0, 0, 6, 1, 0, 6), do("path_readlink", 1, 0, 6, 100, 5, 50), do("path_remove_directory", 1, 0, 6),
	do("path_rename", 1, 0, 6, 1, 0, 6), do("path_symlink", 0, 6, 1, 0, 6), do("path_unlink_file", 1, 0, 6), do("path_unlink_file", 3, 0, 6),
	do("sock_accept", 3, 0, 100), do("sock_recv", 3, 1100, 1, 0, 100, 108), do("sock_send", 3, 1000, 1, 0, 100), do("sock_shutdown", 3, 1),
	do("poll_oneoff", 1400, 100, 1, 200), do("poll_oneoff", 1400, 100, 0, 200),
	do("poll_oneoff", 1500, 8000, 1, 200), do("poll_oneoff", 1600, 8000, 1, 200),
	do("poll_oneoff", page-47, 100, 1, 200), do("poll_oneoff", 1400, page-31, 1, 200),
	do("sched_yield"), do("proc_raise", 9),
	do("fd_close", 0), do("fd_close", 0), do("fd_read", 0, 1100, 3, 100), do("fd_renumber", 0, 1),
	do("fd_close", 1), do("fd_write", 1, 1000, 3, 100), do("fd_filestat_get", 1, 100), do("fd_close", 3), do("fd_close", nowhere),
	do("proc_exit", 7),
}

// TestAsWazero does the same under both implementations, one call after the
// other, and compares answers, all memory, output and sleep after each.
func TestAsWazero(t *testing.T) {
	p := newPair(t)
	for _, s := range alike {
		a, b := p.run(s)
		if a != b {
			t.Errorf("%s%v = %d, %d with wazero's", s.name, s.params, a, b)
		}
		if d := p.differences(); len(d) > 0 {
			t.Errorf("after %s%v: %q", s.name, s.params, d)
			clear(memoryOfGuest(p.ours))
			copy(memoryOfGuest(p.ours), memoryOfGuest(p.wazeros))
		}
	}
}

// TestUnlikeWazero lists what we answer otherwise, and why.
func TestUnlikeWazero(t *testing.T) {
	for why, tt := range map[string]struct {
		step
		ours, wazeros int64
	}{
		"a stream has no position":                 {do("fd_seek", 0, 0, 0, 100), int64(spipe), int64(nosys)},
		"a stream has no position to tell":         {do("fd_tell", 1, 100), int64(spipe), int64(nosys)},
		"nor one to read at":                       {do("fd_pread", 0, 1100, 1, 0, 100), int64(spipe), int64(badf)},
		"nor one to write at":                      {do("fd_pwrite", 1, 1000, 1, 0, 100), int64(spipe), int64(badf)},
		"a stream is no directory given to us":     {do("fd_prestat_get", 0, 100), int64(badf), 0},
		"a stream has no name":                     {do("fd_prestat_dir_name", 0, 100, 0), int64(badf), 0},
		"a stream is no socket":                    {do("sock_shutdown", 1, 1), int64(notsock), int64(badf)},
		"never to block is easily promised":        {do("fd_fdstat_set_flags", 1, flagNonblock), 0, int64(nosys)},
		"streams can be renumbered":                {do("fd_renumber", 2, 1), 0, 58},
		"an output is not for reading, read or no": {do("fd_read", 1, 1100, 0, 100), int64(badf), 0},
		"nor an input for writing":                 {do("fd_write", 0, 1000, 0, 100), int64(badf), 0},
		"a time to sleep until":                    {do("poll_oneoff", 1700, 100, 1, 200), 0, 58},
		"a list is as long as it says":             {do("fd_write", 1, 1000, 1<<29, 100), int64(fault), 0},
	} {
		p := newPair(t)
		if a, b := p.run(tt.step); a != tt.ours || b != tt.wazeros {
			t.Errorf("%s: %s%v = %d, %d with wazero's, want %d, %d", why, tt.name, tt.params, a, b, tt.ours, tt.wazeros)
		}
	}
}

// TestFaultWritesNothing: a result that cannot be told has no effect.
func TestFaultWritesNothing(t *testing.T) {
	p := newPair(t)
	before := bytes.Clone(memoryOfGuest(p.ours))
	for _, s := range []step{do("fd_write", 1, 1000, 3, page-3), do("fd_read", 0, 1100, 3, page-3), do("args_get", 200, page-10)} {
		p.ours.want(with(p.state), fault, s.name, s.params...)
	}
	if p.oursWorld.stdout.Len() > 0 || len(p.state.left()) != len(worldStdin) || !slices.Equal(before, memoryOfGuest(p.ours)) {
		t.Error("a call that answers EFAULT did something")
	}
}

// TestReadFaultKeepsInput: input is not lost to a list that ends outside of
// memory.
func TestReadFaultKeepsInput(t *testing.T) {
	p := newPair(t)
	p.ours.want(with(p.state), fault, "fd_read", 0, 1200, 2, 100)
	p.ours.want(with(p.state), success, "fd_read", 0, 1300, 1, 100)
	if n := p.ours.u32(100); n != uint32(len(worldStdin)) {
		t.Errorf("%d bytes are left to read, want all %d", n, len(worldStdin))
	}
}
