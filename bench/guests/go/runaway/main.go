//go:build wasip1

// Command runaway is a reactor that never ends by itself if its payload is empty.
package main

import "unsafe"

//go:wasmimport hive output_write
func outputWrite(ptr unsafe.Pointer, length uint32) int32

//go:wasmexport hive_run
func run(length uint32) int32 {
	for length == 0 {
	}
	ok := []byte("ok")
	return outputWrite(unsafe.Pointer(&ok[0]), uint32(len(ok)))
}

func main() {}
