package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
)

// newAttempt returns an attempt that finds some keys, servers, a secret and a folder,
// and may use what its grants are for.
func newAttempt(t *testing.T, grants []hive.Grant) *hostfuncs.Attempt {
	created := time.Unix(1_700_000_000, 123_456_789)
	files, err := hostfuncs.OpenFiles(map[string]string{"models": models(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	return &hostfuncs.Attempt{
		Grants: grants,
		Allow: hive.Allow{KV: []string{"totals"}, Spawn: []string{"summarize"}, Secrets: []string{"TOKEN", "MISSING"}, Files: []string{"models"},
			HTTP: []string{"example.com", "empty.example", "down.example"}, Clock: hive.SourceTask, Random: hive.SourceTask},
		Skill: hive.SkillID{Name: "kitchen", Version: "1.0.0", Digest: "sha256:00"},
		Task: hostfuncs.Task{ID: "0190", Attempt: 2, Spore: "<é>", Created: created,
			Deadline: time.Unix(1_800_000_000, 0).UTC(), Tags: hive.Tags{"gpu": "true", "zone": "eu"}},
		KV:      road{"s.kitchen": {"a": "old", "n": "-1", "p1": "", "p2": "", "p3": ""}},
		Emitter: nobody{},
		Secrets: func(name string) (string, bool) { return "s3cret", name == "TOKEN" },
		Files:   files,
		HTTP: hostfuncs.NewHTTP(hostfuncs.HTTPOptions{Transport: hostfuncs.Responses{
			"POST https://example.com/v1": []byte("201\ncontent-type: text/html; a=b\nx-time: 10:30\n\nbees\n\nqueen"),
			"GET https://empty.example":   []byte("204\n\n"),
		}}),
	}
}

// models makes the folder that kitchen sinks look into.
func models(t *testing.T) string {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b.txt"), "three bees")
	if err := os.Mkdir(filepath.Join(dir, "c"), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "a.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, errWrite := f.WriteAt([]byte("contents"), 1<<32) // before that there is nothing on the disk
	if err := errors.Join(errWrite, f.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// nobody listens to what is emitted.
type nobody struct{}

// Emit implements hostfuncs.Emitter.
func (nobody) Emit(context.Context, int, []byte) error { return nil }

// Progress implements hostfuncs.Emitter.
func (nobody) Progress(context.Context, hive.Progress) error { return nil }

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
