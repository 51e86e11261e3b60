package hive

import "time"

// Command is what a nexus may tell spores by broadcast. It travels signed, as a
// bundle.Command: a spore acts on nothing else.
type Command string

// The control commands.
const (
	CommandPing   Command = "PING"          // answer
	CommandDrain  Command = "DRAIN"         // take no more tasks
	CommandResume Command = "RESUME"        // take tasks again
	CommandUpdate Command = "UPDATE_SYSTEM" // look for new bundles now
	CommandStop   Command = "STOP"          // end, as by the first signal
)

// Commands lists all of them.
var Commands = []Command{CommandPing, CommandDrain, CommandResume, CommandUpdate, CommandStop}

// MaxControlAge bounds how long a command is valid.
const MaxControlAge = 120 * time.Second
