//go:build !wasip1

package main

import "os"

// main stands here for the one of hive.go, for go build ./... outside of a sandbox.
func main() {
	println("wordcount is a skill, it runs in a sandbox: nexus skill run skills/wordcount")
	os.Exit(2)
}
