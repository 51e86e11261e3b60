// Command tally is a skill that counts: by keys, by tasks it spawns, and by HTTP.
package main

import "time"

// run adds one to the key children, or does what a parent does: it tells the server
// whose URL is the payload, asks for a child, and adds one to the key parents. Between
// these it takes its time, so that it may be killed before, between and after them.
func run(url []byte) ([]byte, error) {
	if len(url) == 0 {
		_, err := KVIncr("", "children", 1)
		time.Sleep(time.Millisecond)
		return nil, err
	}
	if _, err := HTTP(Request{Method: "POST", URL: string(url)}); err != nil {
		return nil, err
	}
	time.Sleep(20 * time.Millisecond)
	child, err := Spawn("tally", nil)
	if err != nil {
		return nil, err
	}
	_, err = KVIncr("", "parents", 1)
	time.Sleep(20 * time.Millisecond)
	return []byte(child), err
}
