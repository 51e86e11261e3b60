// Command command does the job as a program: WASI, or native.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/hive-spore/hive/bench/guests/go/job"
)

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err == nil {
		input, err = job.Do(input)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Stdout.Write(input)
}
