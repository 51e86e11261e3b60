// Kernels is the work that the cost of metering is measured on.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
)

func main() {}

var (
	block   = make([]byte, 1<<18)
	words   = make([]int, 20_000)
	records = make([]byte, 0)
	pattern = regexp.MustCompile(`(a|b)*c[0-9]+x?`)
)

func init() {
	type record struct {
		Name  string
		Value float64
		Tags  []string
	}
	var all []record
	for i := range 300 {
		all = append(all, record{fmt.Sprint("bee ", i), float64(i) * 1.25, []string{"a", "b\n", "c"}})
	}
	records, _ = json.Marshal(all)
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
	sort.Ints(words)
	return uint32(words[0])
}

//go:wasmexport json
func parsed() uint32 {
	var v any
	if err := json.Unmarshal(records, &v); err != nil {
		panic(err)
	}
	out, _ := json.Marshal(v)
	return uint32(len(out))
}

//go:wasmexport regex
func matched() uint32 {
	n := 0
	text := []byte("abababababc123x aabbabc7 nothing here babac99999x")
	for range 300 {
		n += len(pattern.FindAllIndex(text, -1))
	}
	return uint32(n)
}
