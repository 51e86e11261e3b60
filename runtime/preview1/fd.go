package preview1

import (
	"context"

	"github.com/tetratelabs/wazero/api"
)

// refuse returns a function that an open descriptor, its parameter number fd,
// has no use for: it answers e. There are no other descriptors.
func refuse(e errno, fd int) function {
	return func(_ context.Context, s *State, _ api.Memory, p []uint64) errno {
		if s.at(p[fd]) == closed {
			return badf
		}
		return e
	}
}

// fdClose is fd_close(fd): for the rest of the attempt there is no such
// descriptor, unless another is renumbered to it.
func fdClose(_ context.Context, s *State, _ api.Memory, p []uint64) errno {
	if s.at(p[0]) == closed {
		return badf
	}
	s.fds[uint32(p[0])] = descriptor{stream: closed}
	return success
}

// fdRenumber is fd_renumber(from, to): from becomes to, whether to is open or
// not. The table has a fixed size: to is within it or EBADF.
func fdRenumber(_ context.Context, s *State, _ api.Memory, p []uint64) errno {
	from, to := uint32(p[0]), uint32(p[1])
	now := s.at(p[0])
	if now == closed || to >= descriptors {
		return badf
	}
	if from != to {
		s.fds[to] = descriptor{now, s.fds[from].flags}
		s.fds[from] = descriptor{stream: closed}
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
// rsync, sync) is nothing a stream could promise.
const (
	flagAppend   = 1 << 0
	flagNonblock = 1 << 2
)

// fdFdstatSetFlags is fd_fdstat_set_flags(fd, flags): they are kept for
// fd_fdstat_get, and change nothing as streams append and never block.
func fdFdstatSetFlags(_ context.Context, s *State, _ api.Memory, p []uint64) errno {
	if s.at(p[0]) == closed {
		return badf
	}
	flags := uint16(p[1])
	if flags&^(flagAppend|flagNonblock) != 0 {
		return inval
	}
	s.fds[uint32(p[0])].flags = flags
	return success
}

// filetype of all streams, as wazero has it for what is no file of the host: a
// block device. It is no character device, which C programs would take for a
// terminal and write to line by line.
const filetype = 1

// Rights of descriptors, bits of a u64.
const (
	rightRead       = 1 << 1
	rightSetFlags   = 1 << 3
	rightWrite      = 1 << 6
	rightStat       = 1 << 21
	rightPoll       = 1 << 27
	rightsOfStreams = rightSetFlags | rightStat | rightPoll
)

// fdFdstatGet is fd_fdstat_get(fd, stat): what the descriptor is.
//
//	stat  |type|·|flags|····|rights|inheriting|
//	      0      2          8      16         24
//
// Nothing inherits rights where nothing can be opened.
func fdFdstatGet(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	stat, ok := view(mem, p[1], 24)
	if !ok {
		return fault
	}
	now := s.at(p[0])
	if now == closed {
		return badf
	}
	rights := uint64(rightsOfStreams | rightWrite)
	if now == stdin {
		rights = rightsOfStreams | rightRead
	}
	clear(stat)
	stat[0] = filetype
	le.PutUint16(stat[2:], s.fds[uint32(p[0])].flags)
	le.PutUint64(stat[8:], rights)
	return success
}

// fdFilestatGet is fd_filestat_get(fd, stat): for a stream, zeros but for its
// type and the one link to it.
//
//	stat  |device|inode|type|····|links|size|accessed|modified|changed|
//	      0      8     16        24    32   40       48       56      64
func fdFilestatGet(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	stat, ok := view(mem, p[1], 64)
	if !ok {
		return fault
	}
	if s.at(p[0]) == closed {
		return badf
	}
	clear(stat)
	stat[16] = filetype
	le.PutUint64(stat[24:], 1)
	return success
}
