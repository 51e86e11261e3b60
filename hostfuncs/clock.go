package hostfuncs

import (
	"encoding/binary"

	"github.com/hive-spore/hive"
)

var clockFunctions = []function{{"clock", hive.GrantClock, "", clock}}

// clock is clock() -> i32: it answers what time it is, as nanoseconds since 1970.
//
//	answer  |n₀|n₁|n₂|n₃|n₄|n₅|n₆|n₇|    little-endian
func clock(c *call) int32 {
	return c.reply(binary.LittleEndian.AppendUint64(nil, uint64(c.World().Realtime())))
}
