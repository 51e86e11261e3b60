// Package hive is the vocabulary of The Hive: the words every other package
// speaks, as Go types. It imports the standard library only.
//
// A [Task] names a skill (one WebAssembly program), carries a payload and may
// require tags. It moves along one road, from a client, past the foreman, to a
// spore, through a sandbox, and comes back as an [Outcome].
package hive

import "time"

// Limits and defaults every part agrees on. Sizes are bytes.
const (
	// MaxPayload bounds a task's payload and MaxResult its result.
	MaxPayload = 64 << 20
	MaxResult  = 64 << 20
	// MaxInline bounds those that stand in a record, and what is held against a schema.
	// DefaultInline is from where on they stand apart (see Blob).
	MaxInline     = 1 << 20
	DefaultInline = 64 << 10
	// DefaultOutput bounds the result of a skill that does not ask for more.
	DefaultOutput = 1 << 20
	// MaxRecording bounds what is kept of what an attempt was told by its host.
	MaxRecording = 1 << 20
	// MaxLog bounds what is kept of an attempt's log.
	MaxLog = 64 << 10
	// MaxMessage bounds the message of a Failure.
	MaxMessage = 2 << 10

	// DefaultTimeout ends an attempt that has not finished by itself.
	DefaultTimeout = 300 * time.Second
	// DefaultRetries is how many failures a task survives.
	DefaultRetries = 3
	// MaxRetries bounds what a task may ask for.
	MaxRetries = 1000
	// MaxTimeout bounds a task's timeout.
	MaxTimeout = 24 * time.Hour
	// MinRetain and MaxRetain bound how long a task can ask to be kept, and to hold a
	// unique key.
	MinRetain = time.Minute
	MaxRetain = 365 * 24 * time.Hour
	// MaxUnique bounds a unique key in bytes.
	MaxUnique = 255
	// DefaultRetention is how long a finished task can be asked for.
	DefaultRetention = 24 * time.Hour

	// HeartbeatEvery is the pace of a spore's reports; one that missed three
	// (OfflineAfter) is offline, and after Lease its attempts are reclaimed.
	HeartbeatEvery = time.Second
	OfflineAfter   = 3 * HeartbeatEvery
	Lease          = 5 * time.Second
	// ForgetNode is when an offline spore leaves the cluster status.
	ForgetNode = 10 * time.Minute
)
