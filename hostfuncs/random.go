package hostfuncs

import (
	cryptorand "crypto/rand"
	"crypto/sha256"
	"io"
	"math/rand/v2"

	"github.com/hive-spore/hive"
)

// maxRandom bounds the bytes of one call.
const maxRandom = 64 << 10

var randomFunctions = []function{{"random", hive.GrantRandom, "II", random}}

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
	source := c.Random
	if source == nil {
		source = cryptorand.Reader
	}
	if _, err := io.ReadFull(source, to); err != nil {
		return c.unavailable(err)
	}
	return 0
}

// taskRandom tells these numbers from others that a task's id may seed one day.
const taskRandom = "hive: random numbers of task "

// TaskRandom returns random bytes that follow from a task's id, the same in each of
// its attempts. Who knows the id knows them: they are no secret.
func TaskRandom(id string) io.Reader {
	return rand.NewChaCha8(sha256.Sum256([]byte(taskRandom + id)))
}
