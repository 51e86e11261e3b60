//go:build race

package e2e

// manyTasks is what keeps a cluster busy for some seconds.
const manyTasks = 2_000
