package hostfuncs

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hive-spore/hive"
)

// KV is what keys hold on the road.
type KV interface {
	Get(ctx context.Context, space, key string) (value []byte, found bool, err error)
	// List returns at most limit keys that begin with prefix and come after after,
	// in the order of their bytes.
	List(ctx context.Context, space, prefix, after string, limit int) ([]string, error)
}

// errNoKeys answers where no keys are kept.
var errNoKeys = errors.New("no keys are kept here")

// errAway is all that a guest is told of a road that does not answer: where it is, is
// the spore's own business.
var errAway = errors.New("the road does not answer now")

// Each function of keys begins with the namespace, "" for the skill's own, and the
// key: space_ptr, space_len, key_ptr, key_len.
var kvFunctions = []function{
	{"kv_get", hive.GrantKV, "BB", kvGet},
	{"kv_set", hive.GrantKV, "BBBI", kvSet},
	{"kv_delete", hive.GrantKV, "BB", kvDelete},
	{"kv_incr", hive.GrantKV, "BBL", kvIncr},
	{"kv_cas", hive.GrantKV, "BBBBI", kvCAS},
	{"kv_list", hive.GrantKV, "BBBI", kvList},
}

// space returns the namespace that parameters 0 and 1 name, or an error number.
func (c *call) space() (string, int32) {
	name, code := c.text(0, hive.MaxKVKey)
	if code == 0 && name != "" && !slices.Contains(c.Allow.KV, name) {
		return "", errDenied
	}
	return hive.KVSpace(c.Skill.Name, name), code
}

// place returns the key that parameters 0 to 3 name, or an error number.
func (c *call) place() (place, int32) {
	space, code := c.space()
	if code != 0 {
		return place{}, code
	}
	key, code := c.text(2, hive.MaxKVKey)
	if code == 0 && !isKey(key) {
		code = errInvalid
	}
	return place{space, key}, code
}

// isKey reports whether a text can be a key: one line of UTF-8.
func isKey(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// entry returns what the attempt knows of a key, asking the road the first time.
func (c *call) entry(at place) (*entry, error) {
	if e := c.effects.keys[at]; e != nil {
		return e, nil
	}
	if c.KV == nil {
		return nil, errNoKeys
	}
	e := &entry{}
	var err error
	if e.base, e.present, err = c.KV.Get(c.ctx, at.space, at.key); err != nil {
		return nil, errAway
	}
	e.value, e.exists = e.base, e.present
	if len(c.effects.keys) < maxKeys {
		c.keep(at, e)
	}
	return e, nil
}

func (c *call) keep(at place, e *entry) {
	if c.effects.keys == nil {
		c.effects.keys = map[place]*entry{}
	}
	c.effects.keys[at] = e
}

// maxKeys bounds what is remembered of keys that were only read.
const maxKeys = 10 * hive.MaxEffects

// change asks for an effect on a key, which from now on is remembered as e.
func (c *call) change(at place, e *entry, effect hive.KVEffect) bool {
	if !c.effects.room(len(at.space) + len(at.key) + len(effect.Value)) {
		return false
	}
	effect.Space, effect.Key = at.space, at.key
	c.effects.list.KV = append(c.effects.list.KV, effect)
	c.keep(at, e)
	return true
}

// kvGet is kv_get(space, key) -> i32: it answers the value.
func kvGet(c *call) int32 {
	at, code := c.place()
	if code != 0 {
		return code
	}
	e, err := c.entry(at)
	switch {
	case err != nil:
		return c.unavailable(err)
	case !e.exists:
		return errAbsent
	}
	return c.reply(e.value)
}

// kvSet is kv_set(space, key, value_ptr, value_len, ttl i32) -> i32. ttl is in
// seconds; 0: the value stays.
func kvSet(c *call) int32 {
	at, code := c.place()
	if code != 0 {
		return code
	}
	value, code := c.text(4, hive.MaxKVValue)
	ttl := time.Duration(c.u32(6)) * time.Second
	if code == 0 && ttl > hive.MaxKVTTL {
		code = errInvalid
	}
	if code != 0 {
		return code
	}
	return c.put(at, c.known(at), []byte(value), true, ttl)
}

// kvDelete is kv_delete(space, key) -> i32.
func kvDelete(c *call) int32 {
	at, code := c.place()
	if code != 0 {
		return code
	}
	return c.put(at, c.known(at), nil, false, 0)
}

// known returns what is remembered of a key, without asking the road.
func (c *call) known(at place) *entry {
	if e := c.effects.keys[at]; e != nil {
		return e
	}
	return &entry{}
}

// put sets or deletes a key that is known as e.
func (c *call) put(at place, e *entry, value []byte, exists bool, ttl time.Duration) int32 {
	effect := hive.KVEffect{Op: hive.KVSet, Value: value, TTL: ttl}
	if !exists {
		effect = hive.KVEffect{Op: hive.KVDelete}
	}
	if !c.change(at, e, effect) {
		return errFull
	}
	e.value, e.exists, e.certain = value, exists, true
	return 0
}

// kvIncr is kv_incr(space, key, delta i64) -> i32: it adds to the number that the
// key holds, 0 if there is none, and answers eight bytes, little-endian: what
// the number would be now. Others may add to it before the attempt completes.
func kvIncr(c *call) int32 {
	at, code := c.place()
	if code != 0 {
		return code
	}
	e, err := c.entry(at)
	if err != nil {
		return c.unavailable(err)
	}
	delta := int64(c.params[4])
	n, ok := number(e.value, e.exists)
	if !ok || delta > hive.MaxKVSum || delta < -hive.MaxKVSum || n+delta > hive.MaxKVSum || n+delta < -hive.MaxKVSum {
		return errInvalid
	}
	if !c.change(at, e, hive.KVEffect{Op: hive.KVAdd, Delta: delta}) {
		return errFull
	}
	e.value, e.exists = strconv.AppendInt(nil, n+delta, 10), true
	return c.reply(binary.LittleEndian.AppendUint64(nil, uint64(n+delta)))
}

// Flags of kv_cas.
const (
	casAbsent = 1 // the key must not be there; old is not looked at
	casDelete = 2 // it is deleted; new is not looked at
)

// kvCAS is kv_cas(space, key, old_ptr, old_len, new_ptr, new_len, flags i32) ->
// i32: if the key holds old it is set to new and the answer is 1, else 0. That
// it still held old is checked again when the attempt completes: if not, the
// task is tried again.
func kvCAS(c *call) int32 {
	at, code := c.place()
	if code != 0 {
		return code
	}
	old, code := c.text(4, hive.MaxKVValue)
	if code != 0 {
		return code
	}
	value, code := c.text(6, hive.MaxKVValue)
	flags := c.u32(8)
	if code == 0 && flags&^(casAbsent|casDelete) != 0 {
		code = errInvalid
	}
	if code != 0 {
		return code
	}
	e, err := c.entry(at)
	if err != nil {
		return c.unavailable(err)
	}
	absent := flags&casAbsent != 0
	if e.exists == absent || e.exists && string(e.value) != old {
		return 0
	}
	if !e.certain && !e.expected {
		if !c.change(at, e, hive.KVEffect{Op: hive.KVExpect, Value: e.base, Absent: !e.present}) {
			return errFull
		}
		e.expected = true
	}
	if code := c.put(at, e, []byte(value), flags&casDelete == 0, 0); code != 0 {
		return code
	}
	return 1
}

// kvList is kv_list(space, prefix_ptr, prefix_len, after_ptr, after_len, limit
// i32) -> i32: it answers at most limit keys that begin with prefix and come
// after after, in the order of their bytes, each with a newline behind it. An
// empty answer is the end.
func kvList(c *call) int32 {
	space, code := c.space()
	if code != 0 {
		return code
	}
	prefix, code := c.text(2, hive.MaxKVKey)
	if code != 0 {
		return code
	}
	after, code := c.text(4, hive.MaxKVKey)
	if code != 0 {
		return code
	}
	limit := int(min(c.u32(6), hive.MaxKVList))
	if limit == 0 {
		return errInvalid
	}
	if c.KV == nil {
		return c.unavailable(errNoKeys)
	}
	// Own changes may hide some: ask for as many more.
	keys, err := c.KV.List(c.ctx, space, prefix, after, limit+len(c.effects.keys))
	if err != nil {
		return c.unavailable(errAway)
	}
	keys = c.effects.seen(space, prefix, after, keys)
	var b []byte
	for _, key := range keys[:min(limit, len(keys))] {
		b = append(append(b, key...), '\n')
	}
	return c.reply(b)
}

// seen returns a page of keys as it would be after what the attempt asked for. The
// page ends where keys does, unless the road had no more.
func (e *effects) seen(space, prefix, after string, keys []string) []string {
	keys = slices.DeleteFunc(keys, func(key string) bool {
		known := e.keys[place{space, key}]
		return known != nil && !known.exists
	})
	for at, known := range e.keys {
		if at.space == space && known.exists && at.key > after && strings.HasPrefix(at.key, prefix) {
			keys = append(keys, at.key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
