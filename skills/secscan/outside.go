//go:build !wasip1

package main

import "os"

// main stands here for the one of hive.go, for go build ./... outside of a sandbox.
func main() {
	println("secscan is a skill, it runs in a sandbox: nexus skill run skills/secscan")
	os.Exit(2)
}
