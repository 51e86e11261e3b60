package testkit

// Noop is the smallest useful reactor (docs/abi.md), put together by hand: it
// reads nothing and writes "ok". What it takes is what the road and the sandbox
// cost.
//
//	(module
//	  (import "hive" "output_write" (func $write (param i32 i32) (result i32)))
//	  (memory (export "memory") 1)
//	  (data (i32.const 0) "ok")
//	  (func (export "hive_run") (param i32) (result i32)
//	    (call $write (i32.const 0) (i32.const 2))))
var Noop = []byte("\x00asm\x01\x00\x00\x00" +
	"\x01\x0c\x02\x60\x02\x7f\x7f\x01\x7f\x60\x01\x7f\x01\x7f" + // types: (i32, i32) -> i32 and (i32) -> i32
	"\x02\x15\x01\x04hive\x0coutput_write\x00\x00" + // imports: function 0
	"\x03\x02\x01\x01" + // functions: function 1 has type 1
	"\x05\x03\x01\x00\x01" + // memory: one page
	"\x07\x15\x02\x06memory\x02\x00\x08hive_run\x00\x01" + // exports
	"\x0a\x0a\x01\x08\x00\x41\x00\x41\x02\x10\x00\x0b" + // code: write(0, 2)
	"\x0b\x08\x01\x00\x41\x00\x0b\x02ok") // data at 0
