package preview1

import (
	"context"

	"github.com/tetratelabs/wazero/api"
)

// argsSizesGet is args_sizes_get(count, size *u32): how many arguments there
// are, and how many bytes they take in all, a NUL after each included.
func argsSizesGet(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	return putSizes(mem, s.Args, p)
}

// argsGet is args_get(argv, buf): it writes the arguments, see putStrings.
func argsGet(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	return putStrings(mem, s.Args, p)
}

// environSizesGet is environ_sizes_get(count, size *u32), as args_sizes_get.
func environSizesGet(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	return putSizes(mem, s.Env, p)
}

// environGet is environ_get(environ, buf): it writes the environment, see
// putStrings.
func environGet(_ context.Context, s *State, mem api.Memory, p []uint64) errno {
	return putStrings(mem, s.Env, p)
}

func putSizes(mem api.Memory, list []string, p []uint64) errno {
	if e := put32(mem, p[0], uint32(len(list))); e != success {
		return e
	}
	return put32(mem, p[1], uint32(sizeOf(list)))
}

// putStrings writes the list at p[0] and p[1], for "hive" and "-v":
//
//	memory  |····|buf |buf+5|····|h|i|v|e|0|-|v|0|····
//	             p[0]            buf = p[1]
//
// The list holds the address of each string as a u32; a NUL ends a string.
func putStrings(mem api.Memory, list []string, p []uint64) errno {
	pointers, ok := view(mem, p[0], 4*uint64(len(list)))
	if !ok {
		return fault
	}
	buf, ok := view(mem, p[1], sizeOf(list))
	if !ok {
		return fault
	}
	at := 0
	for i, text := range list {
		le.PutUint32(pointers[4*i:], uint32(p[1])+uint32(at))
		at += copy(buf[at:], text)
		buf[at] = 0
		at++
	}
	return success
}

// sizeOf returns how many bytes the strings take, a NUL after each included.
func sizeOf(list []string) uint64 {
	n := uint64(len(list))
	for _, text := range list {
		n += uint64(len(text))
	}
	return n
}
