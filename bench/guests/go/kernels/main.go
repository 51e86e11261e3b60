//go:build wasip1

// Command kernels is work to measure what metering costs on.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

func main() {}

var (
	block   = make([]byte, 1<<20)
	words   = make([]int, 20_000)
	records = encoded()
	pattern = regexp.MustCompile(`(a|b)*c[0-9]+x?`)
	text    = []byte("abababababc123x aabbabc7 nothing here babac99999x")
)

// encoded is 100 KB of JSON.
func encoded() []byte {
	type record struct {
		Name  string
		Value float64
		Tags  []string
	}
	var all []record
	for i := range 1700 {
		all = append(all, record{fmt.Sprint("bee ", i), float64(i) * 1.25, []string{"a", "b\n", "c"}})
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return b
}

//go:wasmexport sha256
func sum() uint32 {
	s := sha256.Sum256(block)
	return uint32(s[0])
}

//go:wasmexport sort
func sorted() uint32 {
	x := uint32(1)
	for i := range words {
		x = x*1664525 + 1013904223
		words[i] = int(x)
	}
	slices.Sort(words)
	return uint32(words[0])
}

//go:wasmexport json
func parsed() uint32 {
	var v []any
	if err := json.Unmarshal(records, &v); err != nil {
		panic(err)
	}
	return uint32(len(v))
}

//go:wasmexport regex
func matched() uint32 {
	n := 0
	for range 300 {
		n += len(pattern.FindAllIndex(text, -1))
	}
	return uint32(n)
}
