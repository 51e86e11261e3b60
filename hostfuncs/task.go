package hostfuncs

import (
	"encoding/json"
	"time"

	"github.com/hive-spore/hive"
)

// Task is what a guest is told of the task that it works on.
type Task struct {
	ID       string    `json:"id"`
	Attempt  int       `json:"attempt"`           // from 1
	Skill    string    `json:"skill"`             // name@version
	Digest   string    `json:"digest"`            // of the program
	Deadline time.Time `json:"deadline,omitzero"` // of the attempt
	Spore    string    `json:"spore,omitempty"`
	Tags     hive.Tags `json:"tags,omitempty"` // of the spore

	Priority hive.Priority `json:"-"`
}

var taskFunctions = []function{{"task", "", "", task}}

// task is task() -> i32: it answers a JSON object that says what the guest works
// on, and where.
func task(c *call) int32 {
	text, err := json.Marshal(c.Task)
	if err != nil {
		return c.unavailable(err)
	}
	return c.reply(text)
}
