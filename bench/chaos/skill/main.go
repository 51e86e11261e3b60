//go:build wasip1

// Command tally is a skill that does what the words of its payload say.
package main

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// run does word by word and answers the number of its attempt. What it asks for comes
// before it takes its time and before it fails: an attempt that does not complete leaves
// nothing of it.
func run(payload []byte) ([]byte, error) {
	task, err := Task()
	if err != nil {
		return nil, err
	}
	for word := range strings.FieldsSeq(string(payload)) {
		verb, object, _ := strings.Cut(word, "=")
		if err := do(&task, verb, object); err != nil {
			return nil, err
		}
	}
	return strconv.AppendInt(nil, int64(task.Attempt), 10), nil
}

func do(task *TaskInfo, verb, object string) error {
	n, _ := strconv.Atoi(object)
	switch verb {
	case "tell":
		_, err := HTTP(Request{Method: "POST", URL: object + "/" + task.ID + "/" + strconv.Itoa(task.Attempt)})
		return err
	case "count":
		_, err := KVIncr("", task.ID, 1)
		return err
	case "share":
		return share()
	case "spawn":
		_, err := Spawn("tally", []byte("count"))
		return err
	case "sleep":
		time.Sleep(time.Duration(n) * time.Millisecond)
	case "fail":
		if task.Attempt <= n {
			return errors.New("as I was told")
		}
	case "give-up":
		return Permanent(errors.New("for good, as I was told"))
	}
	return nil
}

// share adds one to a key that others change too, and is run again if they did.
func share() error {
	old, err := KVGet("", "shared")
	if errors.Is(err, ErrAbsent) {
		old, err = nil, nil
	}
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(string(old))
	_, err = KVCAS("", "shared", old, strconv.AppendInt(nil, int64(n+1), 10))
	return err
}
