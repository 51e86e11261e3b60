//go:build wasip1

// Command reactor does the job as a reactor. With the tag meet it waits, once
// it is done, for others that run at the same time.
package main

import (
	"unsafe"

	"github.com/hive-spore/hive/bench/guests/go/job"
)

//go:wasmimport hive input_read
func inputRead(ptr unsafe.Pointer, length, offset uint32) int32

//go:wasmimport hive output_write
func outputWrite(ptr unsafe.Pointer, length uint32) int32

//go:wasmimport hive fail
func fail(ptr unsafe.Pointer, length, flags uint32)

//go:wasmexport hive_run
func run(length uint32) int32 {
	input := make([]byte, length)
	if length > 0 {
		inputRead(unsafe.Pointer(&input[0]), length, 0)
	}
	output, err := job.Do(input)
	if err != nil {
		why := err.Error()
		fail(unsafe.Pointer(unsafe.StringData(why)), uint32(len(why)), 1)
		return 1
	}
	meet()
	return outputWrite(unsafe.Pointer(&output[0]), uint32(len(output)))
}

func main() {}
