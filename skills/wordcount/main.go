// Command wordcount is the smallest useful skill: it reads any bytes on
// standard input and answers with wc(1)'s three numbers as one JSON object.
// It is the skill to copy when writing a new one.
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
	counts, err := count(stdin)
	if err != nil {
		fmt.Fprintf(stderr, "wordcount: read input: %v\n", err)
		return 1
	}
	if err := counts.writeJSON(stdout); err != nil {
		fmt.Fprintf(stderr, "wordcount: write result: %v\n", err)
		return 1
	}
	return 0
}
