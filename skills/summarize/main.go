// Command summarize is a skill that picks the sentences of an article which
// say most about it. It reads a request as JSON on standard input and writes a
// summary as JSON to standard output; see README.md for both.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process around it, so that tests can call it.
func run(stdin io.Reader, stdout, stderr io.Writer) int {
	if err := answer(stdin, stdout); err != nil {
		fmt.Fprintf(stderr, "summarize: %v\n", err)
		return 1
	}
	return 0
}

func answer(stdin io.Reader, stdout io.Writer) error {
	request, err := readRequest(stdin)
	if err != nil {
		return err
	}
	result, err := encode(summarize(request))
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	if _, err := stdout.Write(result); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}
