//go:build !race

package broker_test

// An exploration of this many operations, and one of so many mutants.
const (
	exploreOps   = 20_000
	everyMutants = 1
)
