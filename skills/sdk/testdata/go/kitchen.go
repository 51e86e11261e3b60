//go:build wasip1

// Command kitchen calls everything there is, and answers what it was answered.
package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

func run(input []byte) ([]byte, error) {
	switch string(input) {
	case "fail":
		return nil, errors.New("not yet")
	case "fail for good":
		return nil, fmt.Errorf("wrapped: %w", Permanent(errors.New("never")))
	case "fail until later":
		return nil, RetryAfter(errors.New("busy"), 89*time.Second+1)
	case "panic":
		panic("the kitchen is on fire")
	case "error":
		_, err := Secret("MISSING")
		return nil, err
	case "chance":
		return fmt.Append(nil, Rand().Uint64()), nil
	case "big":
		return big()
	}
	Output([]byte("input "))
	Output(input)
	Output([]byte("\n"))
	var b strings.Builder
	if err := all(&b); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// big asks for more than the host gives at once.
func big() ([]byte, error) {
	content, err := File("models/big.bin")
	if err != nil {
		return nil, err
	}
	random := make([]byte, 100_000)
	if err := Random(random); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%d %d %d", len(content), content[len(content)-1], random[99_999]), nil
}

// told is what was answered, or the error's name.
func told(value any, err error) string {
	host, ok := errors.AsType[*HostError](err)
	switch {
	case err == nil:
		return fmt.Sprint(value)
	case ok && host.Why != "" && host.Err != ErrDenied: // the other SDKs do not say why that is
		return host.Err.Error() + ": " + host.Why
	case ok:
		name, _, _ := strings.Cut(host.Err.Error(), " (")
		return name
	}
	return err.Error()
}

func toldText(value []byte, err error) string    { return told(string(value), err) }
func toldNames(names []string, err error) string { return told(strings.Join(names, ","), err) }
func done(err error) string                      { return told("done", err) }

func toldSwap(swapped bool, err error) string {
	if swapped {
		return told(1, err)
	}
	return told(0, err)
}

func all(b *strings.Builder) error {
	say := func(name string, value string) { fmt.Fprintf(b, "%s %s\n", name, value) }
	task, err := Task()
	if err != nil {
		return err
	}
	say("task", fmt.Sprint(task.ID, " ", task.Attempt, " ", task.Skill, " ", task.Digest, " ", task.Deadline.Format(time.RFC3339), " ", task.Spore))
	for _, tag := range slices.Sorted(maps.Keys(task.Tags)) {
		say("tag", tag+" "+task.Tags[tag])
	}
	say("log", done(Log(LevelWarn, "zażółć")))
	keys(say)
	say("spawn", told(Spawn("summarize@1.2.0", []byte("text"))))
	say("spawn", told(Spawn("other", nil)))
	say("emit", done(Emit([]byte("part"))))
	say("emit", done(Emit([]byte("too much"))))
	say("progress", done(Progress(1, 3, "one of three")))
	requests(say)
	say("secret", told(Secret("TOKEN")))
	say("secret", told(Secret("MISSING")))
	say("file_read", toldText(FileRead("models/a.txt", 1<<32, 8)))
	say("file", toldText(File("models/b.txt")))
	say("file_list", toldNames(FileList("models")))
	now, err := Clock()
	say("clock", told(now.UnixNano(), err))
	random := make([]byte, 4)
	err = Random(random)
	say("random", told(strings.ReplaceAll(strings.Trim(fmt.Sprint(random), "[]"), " ", ","), err))
	return nil
}

func keys(say func(name, value string)) {
	say("kv_set", done(KVSet("totals", "a", []byte("one"), 59*time.Second+1)))
	say("kv_set", done(KVSet("", "", []byte("nothing"), 0)))
	say("kv_get", toldText(KVGet("totals", "a")))
	say("kv_get", toldText(KVGet("", "missing")))
	say("kv_delete", done(KVDelete("", "a")))
	say("kv_incr", told(KVIncr("", "n", -5_000_000_000)))
	say("kv_cas", toldSwap(KVCAS("", "a", []byte("old"), []byte("new"))))
	say("kv_cas", toldSwap(KVCAS("", "a", nil, []byte("new"))))
	say("kv_cas", toldSwap(KVCAS("", "a", []byte("new"), nil)))
	say("kv_list", toldNames(KVList("", "p", "p1", 2)))
	say("kv_keys", toldNames(KVKeys("", "p")))
}

func requests(say func(name, value string)) {
	r, err := HTTP(Request{
		URL:     "https://example.com/v1",
		Headers: []Header{{"content-type", "text/plain"}, {"x-bee", "1"}},
		Body:    []byte("honey"),
	})
	if err != nil {
		say("http", told(nil, err))
	} else {
		none := r.Header("x-none")
		if none == "" {
			none = "none"
		}
		say("http", fmt.Sprintf("%d %s %s %s", r.Status, r.Header("Content-Type"), none, r.Body))
	}
	for _, url := range []string{"https://empty.example", "https://denied.example", "https://down.example", "https://example.com\nhost: a"} {
		r, err := HTTP(Request{URL: url})
		if err != nil {
			say("http", told(nil, err))
			continue
		}
		say("http", fmt.Sprint(r.Status, len(r.Headers), len(r.Body)))
	}
}
