//go:build wasip1

// Command wordcount is the smallest useful skill: of any bytes it answers wc(1)'s
// three numbers as one JSON object. It is the skill to copy when writing a new one.
package main

func run(input []byte) ([]byte, error) { return count(input).json(), nil }
