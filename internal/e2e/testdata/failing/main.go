// Command failing is a skill that fails in the way its payload names.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

var hoard [][]byte

func run(input []byte) ([]byte, error) {
	KVSet("", "seen", input, 0)
	how, url, _ := strings.Cut(string(input), " ")
	began := time.Now()
	switch how {
	case "says":
		m := map[int]int{}
		for n := range 100 {
			m[n] = n
		}
		for n := range m {
			return nil, fmt.Errorf("at %d of a map, %d", n, began.UnixNano())
		}
	case "asleep":
		time.Sleep(time.Hour)
	case "waits":
		HTTP(Request{URL: url})
	case "spins":
		for n := uint64(1); n != 0; n += 2 {
		}
	case "exits":
		os.Exit(7)
	case "traps":
		var none map[string]int
		none["a"] = 1
	case "grows":
		for {
			hoard = append(hoard, make([]byte, 1<<20))
		}
	case "changes":
		_, err := KVIncr("", "text", 1)
		return nil, err
	}
	return nil, errors.New("what?")
}
