package preview1

import (
	"context"
	"io/fs"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// Types of files. Pipes have none, and sockets are told apart by nobody here.
const (
	typeUnknown   = 0
	typeBlock     = 1
	typeCharacter = 2
	typeDirectory = 3
	typeRegular   = 4
	typeLink      = 7

	// typeStream is that of all streams, as wazero has it for what is no file of
	// the host. A character device C programs would take for a terminal and
	// write to line by line.
	typeStream = typeBlock
)

func typeOf(mode fs.FileMode) byte {
	switch {
	case mode.IsRegular():
		return typeRegular
	case mode.IsDir():
		return typeDirectory
	case mode&fs.ModeSymlink != 0:
		return typeLink
	case mode&fs.ModeCharDevice != 0:
		return typeCharacter
	case mode&fs.ModeDevice != 0:
		return typeBlock
	}
	return typeUnknown
}

// statSize is the size of a filestat in bytes.
const statSize = 64

// putStat writes a filestat, times in ns since 1970.
//
//	stat  |device|inode|type|····|links|size|accessed|modified|changed|
//	      0      8     16        24    32   40       48       56      64
func putStat(stat []byte, info fs.FileInfo) {
	st := sys.NewStat_t(info)
	for i, v := range [statSize / 8]uint64{
		st.Dev, st.Ino, uint64(typeOf(st.Mode)), st.Nlink, uint64(st.Size), uint64(st.Atim), uint64(st.Mtim), uint64(st.Ctim),
	} {
		le.PutUint64(stat[8*i:], v)
	}
}

// fdFilestatGet is fd_filestat_get(fd, stat), see putStat: for a stream, zeros
// but for its type and the one link to it.
func fdFilestatGet(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	stat, ok := view(mem, p[1], statSize)
	if !ok {
		return fault
	}
	var info fs.FileInfo
	var err error
	switch s.at(p[0]) {
	case closed:
		return badf
	case regular:
		info, err = s.entry(p[0]).file.Stat()
	case directory:
		info, err = s.entry(p[0]).dir.root.Stat(".")
	default:
		clear(stat)
		stat[16] = typeStream
		le.PutUint64(stat[24:], 1)
		return success
	}
	if err != nil {
		return errnoOf(err)
	}
	putStat(stat, info)
	return success
}
