package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hive-spore/hive"
)

// effectsVersion begins every packed list of effects.
const effectsVersion = '1'

// What the commit script does about an effect, beside the operations of a key.
const (
	opAbsent = 'N'
	opSpawn  = 'T'
)

// effectWeight is what one effect counts for in a batch, in bytes, so that no
// script does many more than one attempt may ask for.
const effectWeight = batchBytes / hive.MaxEffects

// checkEffects reports the first effect that cannot be done, or that they are too
// large.
func checkEffects(e *hive.Effects) error {
	if n := len(e.KV) + len(e.Spawn); n > hive.MaxEffects {
		return fmt.Errorf("%d effects, at most %d allowed: %w", n, hive.MaxEffects, hive.ErrTooLarge)
	}
	bytes := 0
	for i := range e.KV {
		if err := checkKV(&e.KV[i]); err != nil {
			return fmt.Errorf("%s: %w", describe(&e.KV[i]), err)
		}
		bytes += len(e.KV[i].Space) + len(e.KV[i].Key) + len(e.KV[i].Value)
	}
	for i := range e.Spawn {
		if err := e.Spawn[i].Validate(); err != nil {
			return fmt.Errorf("spawn %s: %w", e.Spawn[i].ID, errors.Join(hive.ErrEffect, err))
		}
		bytes += len(e.Spawn[i].Skill.String()) + len(e.Spawn[i].Payload)
	}
	if bytes > hive.MaxEffectBytes {
		return fmt.Errorf("effects of %d bytes, at most %d allowed: %w", bytes, hive.MaxEffectBytes, hive.ErrTooLarge)
	}
	return nil
}

// checkKV keeps namespaces free of the colon that ends them in a key, and keys
// such that a page of them can end (see pageEnd).
func checkKV(e *hive.KVEffect) error {
	switch {
	case len(e.Key) > hive.MaxKVKey:
		return fmt.Errorf("key of %d bytes, at most %d allowed: %w", len(e.Key), hive.MaxKVKey, hive.ErrTooLarge)
	case len(e.Value) > hive.MaxKVValue:
		return fmt.Errorf("value of %d bytes, at most %d allowed: %w", len(e.Value), hive.MaxKVValue, hive.ErrTooLarge)
	case e.Space == "" || strings.Contains(e.Space, ":") || e.Key == "" || !utf8.ValidString(e.Key):
		return fmt.Errorf("%w: no such key can be", hive.ErrEffect)
	case e.TTL < 0 || e.TTL > hive.MaxKVTTL:
		return fmt.Errorf("%w: a time to live of %v, want 0 to %v", hive.ErrEffect, e.TTL, hive.MaxKVTTL)
	case e.Delta < -hive.MaxKVSum || e.Delta > hive.MaxKVSum:
		return fmt.Errorf("%w: numbers stay within ±2⁵³", hive.ErrEffect)
	}
	switch e.Op {
	case hive.KVSet, hive.KVDelete, hive.KVAdd, hive.KVExpect:
		return nil
	}
	return fmt.Errorf("%w: no such operation", hive.ErrEffect)
}

// describe says what an effect is, for an error.
func describe(e *hive.KVEffect) string {
	what := fmt.Sprintf("effect %q on", rune(e.Op))
	switch e.Op {
	case hive.KVSet:
		what = "set"
	case hive.KVDelete:
		what = "delete"
	case hive.KVAdd:
		what = fmt.Sprintf("add %d to", e.Delta)
	case hive.KVExpect:
		what = "expect"
	}
	return fmt.Sprintf("%s %.80q of %s", what, e.Key, e.Space)
}

// packEffects writes effects as the commit script takes them: version, then per
// effect one byte operation, two bytes length and namespace (of a task: its id),
// two bytes length and key (its lane), six bytes time to live in ms, four bytes
// length and value (its record). Numbers are big-endian.
func packEffects(e *hive.Effects) []byte {
	b := []byte{effectsVersion}
	for i := range e.KV {
		kv := &e.KV[i]
		op, value := byte(kv.Op), kv.Value
		switch {
		case kv.Op == hive.KVAdd:
			value = strconv.AppendInt(nil, kv.Delta, 10)
		case kv.Op == hive.KVExpect && kv.Absent:
			op, value = opAbsent, nil
		}
		b = appendEffect(b, op, kv.Space, kv.Key, kv.TTL, value)
	}
	for i := range e.Spawn {
		record, lane := packTask(&e.Spawn[i], "")
		b = appendEffect(b, opSpawn, e.Spawn[i].ID, lane, 0, record)
	}
	return b
}

func appendEffect(b []byte, op byte, space, key string, ttl time.Duration, value []byte) []byte {
	b = append(b, op)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(space))), space...)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(key))), key...)
	b = append48(b, (ttl + time.Millisecond - 1).Milliseconds()) // not less than was asked for
	return append(binary.BigEndian.AppendUint32(b, uint32(len(value))), value...)
}

// Verdicts of complete and commit.
const (
	verdictFenced   = -1
	verdictConflict = -2
	verdictGone     = 2
	verdictEffect   = -3 // less i: effect i cannot be done
)

// refusal is the error that a verdict stands for; nil if the attempt is completed.
func refusal(verdict int64, e *hive.Effects) error {
	switch {
	case verdict == verdictGone:
		return fmt.Errorf("the result that was put apart: %w", hive.ErrNotFound)
	case verdict >= 0:
		return nil
	case verdict == verdictFenced:
		return hive.ErrFenced
	case verdict == verdictConflict:
		return hive.ErrConflict
	}
	if i := verdictEffect - verdict; i < int64(len(e.KV)) {
		return fmt.Errorf("%s: %w: it holds no number, or the sum leaves ±2⁵³", describe(&e.KV[i]), hive.ErrEffect)
	}
	return hive.ErrEffect
}
