package hostfuncs

import "github.com/hive-spore/hive"

// maxRandom bounds the bytes of one call.
const maxRandom = 64 << 10

var randomFunctions = []function{{"random", hive.GrantRandom, "O", random}}

// random is random(ptr, len i32) -> i32: it fills memory with random bytes.
//
//	memory  |·····|??????|·····|
//	              ptr    ptr+len
func random(c *call) int32 {
	to, ok := c.view(0)
	switch {
	case !ok:
		return errRange
	case len(to) > maxRandom:
		return errInvalid
	}
	_, _ = c.World().Read(to) // it does not fail
	return 0
}
