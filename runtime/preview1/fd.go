package preview1

import (
	"context"

	"github.com/tetratelabs/wazero/api"
)

// refuse returns a function that does nothing: it answers what a stream, a file
// or a directory does, the descriptor of which is its parameter number fd.
func refuse(fd int, stream, file, dir errno) function {
	return func(_ context.Context, s *State, _ api.Memory, p []uint64) errno {
		switch s.at(p[fd]) {
		case closed:
			return badf
		case regular:
			return file
		case directory:
			return dir
		}
		return stream
	}
}

// refuseAll returns one that answers the same of whatever is open.
func refuseAll(fd int, e errno) function { return refuse(fd, e, e, e) }

// fdClose is fd_close(fd): there is no such descriptor any more, until another
// is opened as it or renumbered to it.
func fdClose(_ context.Context, s *State, _ api.Memory, p []uint64) errno {
	if s.at(p[0]) == closed {
		return badf
	}
	s.entry(p[0]).close()
	return success
}

// fdRenumber is fd_renumber(from, to): from becomes to, whether to is open or
// not. The table has a fixed size: to is within it or EBADF.
func fdRenumber(_ context.Context, s *State, _ api.Memory, p []uint64) errno {
	now, from, to := s.at(p[0]), s.entry(p[0]), s.entry(p[1])
	if now == closed || to == nil {
		return badf
	}
	if from != to {
		to.close()
		*to, *from = *from, descriptor{target: closed}
		to.target = now
	}
	return success
}

// Advice, the last of which is POSIX_FADV_NOREUSE.
const adviceNoReuse = 5

// fdAdvise is fd_advise(fd, offset, len u64, advice): thanks, nothing to do.
func fdAdvise(_ context.Context, s *State, _ api.Memory, p []uint64) errno {
	if s.at(p[0]) == closed {
		return badf
	}
	if uint8(p[3]) > adviceNoReuse {
		return inval
	}
	return success
}

// Fdflags that a guest may set. Waiting until bytes are on a disk (dsync,
// rsync, sync) is nothing that could be promised.
const (
	flagAppend   = 1 << 0
	flagNonblock = 1 << 2
)

// fdFdstatSetFlags is fd_fdstat_set_flags(fd, flags): they are kept for
// fd_fdstat_get, and change nothing: streams append, files cannot be written
// to, and none of them blocks.
func fdFdstatSetFlags(_ context.Context, s *State, _ api.Memory, p []uint64) errno {
	if s.at(p[0]) == closed {
		return badf
	}
	flags := uint16(p[1])
	if flags&^(flagAppend|flagNonblock) != 0 {
		return inval
	}
	s.entry(p[0]).flags = flags
	return success
}

// Rights of descriptors, bits of a u64.
const (
	rightRead     = 1 << 1
	rightSeek     = 1 << 2
	rightSetFlags = 1 << 3
	rightTell     = 1 << 5
	rightWrite    = 1 << 6
	rightAdvise   = 1 << 7
	rightOpen     = 1 << 13
	rightReaddir  = 1 << 14
	rightReadlink = 1 << 15
	rightPathStat = 1 << 18
	rightStat     = 1 << 21
	rightPoll     = 1 << 27

	rightsOfStreams = rightSetFlags | rightStat | rightPoll
	rightsOfFiles   = rightsOfStreams | rightRead | rightSeek | rightTell | rightAdvise
	rightsOfDirs    = rightSetFlags | rightStat | rightOpen | rightReaddir | rightReadlink | rightPathStat
)

// kindOf returns a descriptor's filetype, its rights, and those of what is
// opened from it.
func kindOf(t target) (filetype byte, rights, inheriting uint64) {
	switch t {
	case regular:
		return typeRegular, rightsOfFiles, 0
	case directory:
		return typeDirectory, rightsOfDirs, rightsOfDirs | rightsOfFiles
	case stdin:
		return typeStream, rightsOfStreams | rightRead, 0
	}
	return typeStream, rightsOfStreams | rightWrite, 0
}

// fdFdstatGet is fd_fdstat_get(fd, stat): what the descriptor is.
//
//	stat  |type|·|flags|····|rights|inheriting|
//	      0      2          8      16         24
func fdFdstatGet(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	stat, ok := view(mem, p[1], 24)
	if !ok {
		return fault
	}
	now := s.at(p[0])
	if now == closed {
		return badf
	}
	filetype, rights, inheriting := kindOf(now)
	clear(stat)
	stat[0] = filetype
	le.PutUint16(stat[2:], s.entry(p[0]).flags)
	le.PutUint64(stat[8:], rights)
	le.PutUint64(stat[16:], inheriting)
	return success
}
