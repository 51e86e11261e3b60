package broker

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/hive-spore/hive"
)

// Every key of the road begins with the shard's prefix, whose braces make all of
// them hash to one slot of a Redis Cluster. docs/redis-keys.md draws them; the
// scripts spell the same names, and some that only they use.
type keys struct {
	prefix string // "{h}:"
}

func newKeys(shard string) keys { return keys{"{" + shard + "}:"} }

// never is a key that there is not. On a Cluster every script names it beside the prefix,
// which is none either: of two keys that are not there a server knows neither here nor
// there while it moves their slot, and so it refuses the script. One that ran would find
// a part of the keys.
func (k keys) never() string { return k.prefix + "never" }

func (k keys) record(id string) string   { return k.prefix + "t:" + id }
func (k keys) lane(lane string) string   { return k.prefix + "in:" + lane }
func (k keys) queue(node string) string  { return k.prefix + "n:" + node }
func (k keys) own(node string) string    { return k.prefix + "own:" + node }
func (k keys) door(node string) string   { return k.prefix + "db:" + node }
func (k keys) seen(node string) string   { return k.prefix + "st:" + node }
func (k keys) inbox(name string) string  { return k.prefix + "ib:" + name }
func (k keys) parts(id string) string    { return k.prefix + "em:" + id }
func (k keys) told(node string) string   { return k.prefix + "au:" + node }
func (k keys) progress(id string) string { return k.prefix + "pg:" + id }
func (k keys) recording(id string, attempt int) string {
	return k.prefix + "rc:" + id + ":" + strconv.Itoa(attempt)
}

func (k keys) blob(name string) string   { return k.prefix + "b:" + name }
func (k keys) upload(name string) string { return k.prefix + "bu:" + name }
func (k keys) bucket(name string) string { return k.prefix + "rl:" + name }

func (k keys) index(space string) string { return k.prefix + "ki:" + space }
func (k keys) value(space, key string) string {
	return k.prefix + "kv:" + space + ":" + key
}

func (k keys) active() string     { return k.prefix + "act" }
func (k keys) lead() string       { return k.prefix + "lead" }
func (k keys) bell() string       { return k.prefix + "bell" }
func (k keys) nodes() string      { return k.prefix + "nodes" }
func (k keys) used() string       { return k.prefix + "used" }
func (k keys) run() string        { return k.prefix + "run" }
func (k keys) counters() string   { return k.prefix + "ct" }
func (k keys) flow() string       { return k.prefix + "flow" }
func (k keys) crons() string      { return k.prefix + "cron" }
func (k keys) cronsAt() string    { return k.prefix + "cronat" }
func (k keys) delay() string      { return k.prefix + "delay" }
func (k keys) dead() string       { return k.prefix + "dead" }
func (k keys) skills() string     { return k.prefix + "sk" }
func (k keys) controlGen() string { return k.prefix + "ctlgen" }
func (k keys) controls() string   { return k.prefix + "ctl" }
func (k keys) rollouts() string   { return k.prefix + "ota" }

// maxClass is the longest class text that stands in keys as it is.
const maxClass = 99

// Class is what makes tasks alike for routing.
type Class struct {
	Skill       hive.SkillRef
	Require     hive.Selector
	Tenant, Key string
}

// ClassOf is that of a task.
func ClassOf(t *hive.Task) Class { return Class{t.Skill, t.Require, t.Tenant, t.Key} }

// Text spells a class: skill reference, canonical selector, tenant and, if there is one, key.
// A longer text is hashed; its parts then stand in the record's fields.
func (c Class) Text() (text string, hashed bool) {
	text = c.Skill.String() + "|" + c.Require.String() + "|" + c.Tenant
	if c.Key != "" {
		text += "|" + c.Key
	}
	if len(text) <= maxClass {
		return text, false
	}
	sum := sha256.Sum256([]byte(text))
	return "#" + hex.EncodeToString(sum[:16]), true
}

// laneName is the class and the priority: "wordcount||:2".
func laneName(class string, p hive.Priority) string {
	return class + ":" + strconv.Itoa(int(p))
}

// splitLane is laneName backwards.
func splitLane(lane string) (class string, p hive.Priority, ok bool) {
	i := strings.LastIndexByte(lane, ':')
	if i < 0 {
		return "", 0, false
	}
	n, err := strconv.Atoi(lane[i+1:])
	p = hive.Priority(n)
	return lane[:i], p, err == nil && p.Validate() == nil
}

// splitClass is Text backwards; ok is false for a hashed one.
func splitClass(text string) (c Class, ok bool) {
	ref, rest, found := strings.Cut(text, "|")
	sel, rest, also := strings.Cut(rest, "|")
	tenant, key, keyed := strings.Cut(rest, "|")
	if !found || !also || keyed && key == "" || strings.Contains(key, "|") {
		return c, false
	}
	skill, errSkill := hive.ParseSkillRef(ref)
	require, errRequire := hive.ParseSelector(sel)
	return Class{skill, require, tenant, key}, errSkill == nil && errRequire == nil
}
