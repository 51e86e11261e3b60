//go:build wasip1

// Command summarize is a skill that picks the sentences of an article which say
// most about it. It takes a request as JSON and answers a summary as JSON; see
// README.md for both.
package main

func run(input []byte) ([]byte, error) {
	result, err := answer(input)
	return result, Permanent(err) // the same request is as bad the next time
}
