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
	Deadline time.Time `json:"deadline,omitzero"` // of the attempt
	Spore    string    `json:"spore,omitempty"`
	Tags     hive.Tags `json:"tags,omitempty"` // of the spore

	Priority hive.Priority `json:"-"` // this and the next of what it spawns, too
	Tenant   string        `json:"-"`
	Created  time.Time     `json:"-"` // of the task: where a clock of its own begins
}

var taskFunctions = []function{{"task", "", "", task}}

// task is task() -> i32: it answers a JSON object that says what the guest works
// on, and where.
func task(c *call) int32 {
	text, err := json.Marshal(struct {
		Task
		Skill  string `json:"skill"`
		Digest string `json:"digest"` // of the program
	}{c.Task, c.Skill.String(), c.Skill.Digest})
	if err != nil {
		return c.unavailable(err)
	}
	return c.reply(text)
}
