//go:build !cgo

package main

import "github.com/hive-spore/hive/bench/engine/work"

func openWasmtime(work.Order) (subject, error) {
	return nil, unsupported("wasmtime-go needs cgo")
}
