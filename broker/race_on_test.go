//go:build race

package broker_test

// The scripts are text: the race detector sees nothing in them, and takes ten times as long.
const (
	exploreOps   = 2_000
	everyMutants = 5
)
