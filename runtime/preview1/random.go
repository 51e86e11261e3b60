package preview1

import (
	"context"
	"io"

	"github.com/tetratelabs/wazero/api"
)

// randomChunk is how many random bytes are made between two looks at whether
// the attempt is over: some 100 µs of work.
const randomChunk = 64 << 10

// randomGet is random_get(buf, len): it fills the guest's memory in place.
//
//	memory  |····|chunk|chunk|chu|····
//	             buf             buf+len
func randomGet(ctx context.Context, s *State, mem api.Memory, p []uint64) errno {
	buf, ok := view(mem, p[0], uint64(uint32(p[1])))
	if !ok {
		return fault
	}
	source := s.world()
	for len(buf) > 0 {
		chunk := buf[:min(len(buf), randomChunk)]
		if _, err := io.ReadFull(source, chunk); err != nil {
			return io_
		}
		buf = buf[len(chunk):]
		if len(buf) > 0 && ctx.Err() != nil {
			return intr
		}
	}
	return success
}
