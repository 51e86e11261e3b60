package hive

import "errors"

// Errors callers branch on.
var (
	ErrNotFound     = errors.New("not found")
	ErrNotSupported = errors.New("not supported yet")
	ErrTooLarge     = errors.New("too large")
	// ErrFenced says that another attempt, or nobody, holds the task now.
	ErrFenced = errors.New("the attempt no longer holds the task")
	// ErrConflict says that a key is not as the attempt expects: it is to run again.
	ErrConflict = errors.New("a key is not as the attempt expects")
	// ErrEffect says that nothing of what an attempt asked for was done, because one
	// of its effects never can be.
	ErrEffect = errors.New("an effect cannot be done")
	// ErrHeld says that another task has this one's unique key.
	ErrHeld = errors.New("another task has its unique key")
	// ErrFinal says that the task is over and cannot be changed this way.
	ErrFinal = errors.New("the task is over")
	// ErrNotLeader says that another nexus leads.
	ErrNotLeader = errors.New("another nexus leads")
	// ErrUnregistered says that the spore must register (again) first.
	ErrUnregistered = errors.New("the spore is not registered")
	// ErrTaken says that a live spore already has this id.
	ErrTaken = errors.New("another spore with this id is online")
	// ErrUnreachable says that Redis does not answer.
	ErrUnreachable = errors.New("the road is unreachable")
	// ErrFull says that Redis has no memory left for what is new. What is on the road goes on.
	ErrFull = errors.New("the road is full")
	// ErrDisabled says that ENABLE_HIVE=false.
	ErrDisabled = errors.New("the hive is disabled (ENABLE_HIVE=false)")
)
