//go:build wasip1 && meet

package main

//go:wasmimport bench meet
func meet()
