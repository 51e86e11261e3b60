package sdk_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
)

// addReal adds the functions of package hostfuncs to module hive. Those that it
// lacks are denied, as they would be without their grants.
func addReal(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	return hostfuncs.Modules()["hive"](add(b)) // of two of a name the later is called
}

// newAttempt returns an attempt that finds some keys and may use what its grants are
// for.
func newAttempt(grants []hive.Grant) *hostfuncs.Attempt {
	return &hostfuncs.Attempt{
		Grants: grants,
		Allow:  hive.Allow{KV: []string{"totals"}, Spawn: []string{"summarize"}},
		Skill:  hive.SkillID{Name: "kitchen", Version: "1.0.0", Digest: "sha256:00"},
		Task: hostfuncs.Task{ID: "0190", Attempt: 2, Spore: "<é>",
			Deadline: time.Unix(1_800_000_000, 0).UTC(), Tags: hive.Tags{"gpu": "true", "zone": "eu"}},
		KV: road{"s.kitchen": {"a": "old", "n": "-1", "p1": "", "p2": "", "p3": ""}},
	}
}

// road is what keys hold, by namespace.
type road map[string]map[string]string

// Get implements hostfuncs.KV.
func (r road) Get(_ context.Context, space, key string) (value []byte, found bool, err error) {
	text, found := r[space][key]
	return []byte(text), found, nil
}

// List implements hostfuncs.KV.
func (r road) List(_ context.Context, space, prefix, after string, limit int) ([]string, error) {
	keys := slices.DeleteFunc(slices.Sorted(maps.Keys(r[space])), func(key string) bool {
		return !strings.HasPrefix(key, prefix) || key <= after
	})
	return keys[:min(limit, len(keys))], nil
}

// effectsText tells what an attempt asked for, a line each.
func effectsText(e hive.Effects) string {
	var b strings.Builder
	for _, kv := range e.KV {
		fmt.Fprintf(&b, "%c %s %q value %q delta %d ttl %v absent %v\n", kv.Op, kv.Space, kv.Key, kv.Value, kv.Delta, kv.TTL, kv.Absent)
	}
	for _, task := range e.Spawn {
		fmt.Fprintf(&b, "spawn %s %s %q\n", task.ID, task.Skill, task.Payload)
	}
	return b.String()
}
