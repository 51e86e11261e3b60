// Command upper-reactor answers its input in capital letters.
package main

import (
	"bytes"
	"unsafe"
)

//go:wasmimport hive input_read
func inputRead(ptr unsafe.Pointer, length, offset uint32) int32

//go:wasmimport hive output_write
func outputWrite(ptr unsafe.Pointer, length uint32) int32

//go:wasmimport hive fail
func fail(ptr unsafe.Pointer, length, flags uint32)

//go:wasmexport hive_run
func run(length uint32) int32 {
	if length == 0 {
		message := "upper: nothing to do"
		fail(unsafe.Pointer(unsafe.StringData(message)), uint32(len(message)), 1)
		return 1
	}
	input := make([]byte, length)
	inputRead(unsafe.Pointer(&input[0]), length, 0)
	output := bytes.ToUpper(input)
	return outputWrite(unsafe.Pointer(&output[0]), uint32(len(output)))
}

func main() {}
