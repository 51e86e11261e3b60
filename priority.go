package hive

import (
	"fmt"
	"strconv"
)

// Priority is 0 (last) to 10 (first). Five and above count as the high queue.
type Priority int

// The two named queues as priorities.
const (
	MinPriority        Priority = 0
	BackgroundPriority Priority = 2
	HighPriority       Priority = 8
	MaxPriority        Priority = 10
	highFrom           Priority = 5
)

// High reports whether p counts as the high queue.
func (p Priority) High() bool { return p >= highFrom }

// Validate reports a priority outside 0..10.
func (p Priority) Validate() error {
	if p < MinPriority || p > MaxPriority {
		return fmt.Errorf("priority %d: want 0 to 10, high or background", int(p))
	}
	return nil
}

// ParsePriority reads a number 0 to 10 or the name of a queue: high,
// high_priority or background.
func ParsePriority(s string) (Priority, error) {
	switch s {
	case "high", "high_priority":
		return HighPriority, nil
	case "background":
		return BackgroundPriority, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || Priority(n).Validate() != nil {
		return 0, fmt.Errorf("priority %.80q: want 0 to 10, high or background", s)
	}
	return Priority(n), nil
}
