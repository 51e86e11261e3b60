package preview1

import "testing"

// action is one call of a guest, with paths.
type action struct {
	name   string
	params []any
}

func act(name string, params ...any) action { return action{name, params} }

// open is to open a path in a directory, to be read.
func open(fd int, path string, oflags int) action {
	return act("path_open", fd, lookupFollow, path, oflags, rightRead, 0, 0, 100)
}

// filesAlike are calls whose answers are those of wazero's, in a tree of
// newTree: descriptor 4 becomes a file, 5 and 6 directories.
var filesAlike = []action{
	act("fd_prestat_get", 3, 100), act("fd_prestat_get", 4, 100), act("fd_prestat_get", 3, page-7),
	act("fd_prestat_dir_name", 3, 100, 1), act("fd_prestat_dir_name", 3, page, 1), act("fd_prestat_dir_name", 4, 100, 1),
	open(3, "facts", 0), open(3, "sub", 0), open(3, "./sub//deep/../../sub/deep", openDirectory),
	act("fd_prestat_get", 5, 100), act("fd_prestat_dir_name", 5, 100, 1),
	open(3, "gone", 0), open(3, "facts", openDirectory), open(3, "facts/x", 0), open(3, "..", 0), open(3, "/facts", 0),
	open(3, "sub/../../secret", 0), open(5, "../facts", 0), open(4, "facts", 0), open(9, "facts", 0), open(0, "facts", 0),
	open(3, "loop", 0), open(3, "dangling", 0), open(3, "facts\x00", 0),
	act("path_open", 3, 0, "sub", openDirectory, rightWrite, 0, 0, 100), act("path_open", 3, 0, page, 4, 0, 0, 0, 0, 100),
	act("fd_read", 4, 1100, 3, 100), act("fd_tell", 4, 200), act("fd_read", 4, 1100, 0, 100), act("fd_read", 4, 1300, 1, 100), act("fd_read", 4, 1300, 1, 100),
	act("fd_pread", 4, 1100, 3, 5, 100), act("fd_pread", 4, 1300, 1, 18, 100), act("fd_pread", 4, 1300, 1, 100, 100), act("fd_tell", 4, 200),
	act("fd_read", 4, 1200, 2, 100), act("fd_read", 4, page-7, 1, 100), act("fd_read", 4, 1000, 1<<28, 100),
	act("fd_seek", 4, 5, fromStart, 200), act("fd_seek", 4, 3, fromHere, 200), act("fd_seek", 4, -3, fromEnd, 200), act("fd_seek", 4, -30, fromEnd, 200),
	act("fd_seek", 4, 0, 3, 200), act("fd_seek", 4, -1, fromStart, 200), act("fd_seek", 4, 99, fromStart, 200), act("fd_read", 4, 1300, 1, 100),
	act("fd_read", 3, 1100, 3, 100), act("fd_read", 5, 1100, 3, 100), act("fd_pread", 5, 1100, 3, 0, 100), act("fd_seek", 5, 0, 0, 200), act("fd_tell", 5, 200),
	act("fd_write", 4, 1000, 3, 100), act("fd_pwrite", 4, 1000, 3, 0, 100),
	act("fd_filestat_get", 4, 200), act("fd_filestat_get", 5, 200), act("fd_filestat_get", 3, 200), act("fd_filestat_get", 4, page-63),
	act("path_filestat_get", 3, 1, "facts", 200), act("path_filestat_get", 3, 1, "link", 200), act("path_filestat_get", 3, 1, "sub", 200),
	act("path_filestat_get", 5, 1, "deep/most", 200), act("path_filestat_get", 3, 1, ".", 200), act("path_filestat_get", 3, 1, "gone", 200),
	act("path_filestat_get", 3, 1, "../secret", 200),
	act("path_filestat_get", 4, 1, "facts", 200), act("path_filestat_get", 9, 1, "facts", 200), act("path_filestat_get", 3, 1, "facts", page-63),
	act("fd_readdir", 3, 8000, 4096, 0, 100), act("fd_readdir", 5, 8000, 4096, 0, 100), act("fd_readdir", 6, 8000, 4096, 0, 100),
	act("fd_readdir", 5, 8000, 24, 0, 100), act("fd_readdir", 5, 8000, 4096, 1, 100), act("fd_readdir", 5, 8000, 4096, 3, 100), act("fd_readdir", 5, 8000, 4096, 0, 100),
	act("fd_readdir", 5, 8000, 4096, 8, 100), act("fd_readdir", 5, 8000, 23, 0, 100), act("fd_readdir", 9, 8000, 4096, 0, 100), act("fd_readdir", 5, page-8, 4096, 0, 100),
	act("fd_advise", 4, 0, 0, 0), act("fd_advise", 5, 0, 0, 0), act("fd_advise", 4, 0, 0, 6),
	act("fd_renumber", 4, 9), act("fd_read", 9, 1300, 1, 100), act("fd_tell", 4, 200), open(3, "sub/more", 0), act("fd_renumber", 9, 4), act("fd_tell", 4, 200),
	act("fd_close", 4), act("fd_close", 4), act("fd_close", 5), act("fd_readdir", 5, 8000, 4096, 0, 100), act("fd_close", 1), open(3, "facts", 0), open(6, "most", 0),
	act("fd_close", 3), act("fd_prestat_get", 3, 100), open(3, "facts", 0),
}

// TestFilesAsWazero does the same under both implementations, as TestAsWazero.
func TestFilesAsWazero(t *testing.T) {
	p := newPair(t, newTree(t))
	for _, a := range filesAlike {
		p.wazeros.spell(a.params)
		ours, wazeros := p.run(step{a.name, p.ours.spell(a.params)})
		if ours != wazeros {
			t.Errorf("%s%q = %d, %d with wazero's", a.name, a.params, ours, wazeros)
		}
		if d := p.differences(); len(d) > 0 {
			t.Errorf("after %s%q: %q", a.name, a.params, d)
			clear(memoryOfGuest(p.ours))
			copy(memoryOfGuest(p.ours), memoryOfGuest(p.wazeros))
		}
	}
}

// TestFilesUnlikeWazero lists what we answer otherwise, and why. Descriptor 4 is
// a file.
func TestFilesUnlikeWazero(t *testing.T) {
	const notsup = 58
	for why, tt := range map[string]struct {
		action
		ours, wazeros errno
	}{
		"a file has nothing in it":                 {open(3, "facts/", 0), notdir, success},
		"nor has it when looked at":                {act("path_filestat_get", 3, 1, "facts/", 200), notdir, success},
		"a link out is not broken but forbidden":   {open(3, "outside", 0), perm, io_},
		"an absolute one as well":                  {act("path_filestat_get", 3, 1, "absolute", 200), perm, io_},
		"no path is no file":                       {open(3, "", 0), noent, inval},
		"links that are not followed are not":      {act("path_open", 3, 0, "link", 0, rightRead, 0, 0, 100), loop, success},
		"links can be read":                        {act("path_readlink", 3, "link", 300, 10, 100), success, nosys},
		"to open for writing fails":                {act("path_open", 3, 1, "facts", 0, rightWrite, 0, 0, 100), rofs, success},
		"to truncate as well":                      {open(3, "facts", openTruncate), rofs, success},
		"to create as well":                        {open(3, "gone", openCreate), rofs, noent},
		"or what is there already":                 {open(3, "facts", openCreate|openExclusive), exist, success},
		"directories are not made":                 {act("path_create_directory", 3, "new"), rofs, nosys},
		"nor removed":                              {act("path_remove_directory", 3, "empty"), rofs, nosys},
		"nor are files":                            {act("path_unlink_file", 3, "facts"), rofs, nosys},
		"renamed":                                  {act("path_rename", 3, "facts", 3, "new"), rofs, nosys},
		"linked":                                   {act("path_link", 3, 0, "facts", 3, "new"), rofs, nosys},
		"touched":                                  {act("path_filestat_set_times", 3, 1, "facts", 0, 0, 5), rofs, nosys},
		"not even while they are open":             {act("fd_filestat_set_times", 4, 0, 0, 5), rofs, nosys},
		"a file open to be read has no other size": {act("fd_filestat_set_size", 4, 0), badf, nosys},
		"nor does it get one":                      {act("fd_allocate", 4, 0, 100), badf, nosys},
		"a directory cannot be written to":         {act("fd_write", 3, 1000, 3, 100), badf, isdir},
		"flags are remembered":                     {act("fd_fdstat_set_flags", 4, flagNonblock), success, nosys},
		"those of directories too":                 {act("fd_fdstat_set_flags", 3, 0), success, isdir},
		"a file has no entries":                    {act("fd_readdir", 4, 8000, 100, 0, 100), notdir, badf},
		"entries can be asked for in any order":    {act("fd_readdir", 3, 8000, 100, 3, 100), success, noent},
		"a buffer for a name may be larger":        {act("fd_prestat_dir_name", 3, 200, 2), success, nametoolong},
		"but no smaller":                           {act("fd_prestat_dir_name", 3, 200, 0), nametoolong, success},
		"mounts can be renumbered":                 {act("fd_renumber", 3, 9), success, notsup},
		"the table of descriptors is small":        {act("fd_renumber", 4, 1000), badf, success},
		"a file is no socket":                      {act("sock_shutdown", 4, 1), notsock, badf},
	} {
		p := newPair(t, newTree(t))
		for _, c := range []caller{p.ours, p.wazeros} {
			c.spell([]any{"facts"})
		}
		p.run(do("path_open", 3, 1, pathsAt, 5, 0, rightRead, 0, 0, 100))
		p.wazeros.spell(tt.params)
		if a, b := p.run(step{tt.name, p.ours.spell(tt.params)}); a != int64(tt.ours) || b != int64(tt.wazeros) {
			t.Errorf("%s: %s%q = %d, %d with wazero's, want %d, %d", why, tt.name, tt.params, a, b, tt.ours, tt.wazeros)
		}
	}
}
