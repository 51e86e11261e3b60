// Command counter-reactor counts its calls in a variable, in a map and in a slice
// that grows. It answers with the largest.
package main

import (
	"strconv"
	"unsafe"
)

//go:wasmimport hive output_write
func outputWrite(ptr unsafe.Pointer, length uint32) int32

var (
	calls int
	seen  = map[int]string{}
	all   []string
)

//go:wasmexport hive_run
func run(uint32) int32 {
	calls++
	seen[len(seen)] = strconv.Itoa(calls)
	all = append(all, seen[0])
	text := []byte(strconv.Itoa(max(calls, len(seen), len(all))))
	return outputWrite(unsafe.Pointer(&text[0]), uint32(len(text)))
}

func main() {}
