//go:build !wasip1

package main

import "os"

// main stands here for the one of hive.go, for go build ./... outside of a sandbox.
func main() {
	println("fetch is a skill, it runs in a sandbox: nexus skill run skills/fetch")
	os.Exit(2)
}
