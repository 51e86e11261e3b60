package hostfuncs

import (
	"slices"

	"github.com/hive-spore/hive"
)

var spawnFunctions = []function{{"spawn", hive.GrantSpawn, "BB", spawn}}

// maxSkillRef bounds the text that names a skill, in bytes.
const maxSkillRef = 256

// spawn is spawn(skill_ptr, skill_len, payload_ptr, payload_len i32) -> i32: it
// asks for a task of the skill, name or name@version, and answers its id. The
// task is put on the road when the attempt completes. Its id follows from the
// id of the guest's own task and from how many it asked for before, so that
// another attempt asks for the same ones.
func spawn(c *call) int32 {
	text, code := c.text(0, maxSkillRef)
	if code != 0 {
		return code
	}
	payload, code := c.text(2, hive.MaxInline)
	if code != 0 {
		return code
	}
	ref, err := hive.ParseSkillRef(text)
	if err != nil {
		return errInvalid
	}
	if !slices.Contains(c.Allow.Spawn, ref.Name) {
		return errDenied
	}
	if !c.effects.room(len(text) + len(payload)) {
		return errFull
	}
	child := hive.Task{Skill: ref, Payload: []byte(payload), Priority: c.Task.Priority, Tenant: c.Task.Tenant}.WithDefaults()
	child.ID = hive.DerivedID(c.Task.ID, len(c.effects.list.Spawn))
	c.effects.list.Spawn = append(c.effects.list.Spawn, child)
	return c.reply([]byte(child.ID))
}
