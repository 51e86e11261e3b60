//go:build !linux

package runtime

const threadsKnown = false

func threadUsage() usage { return usage{} }
