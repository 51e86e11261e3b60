// Command upper answers its input in capital letters.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err != nil || len(input) == 0 {
		fmt.Fprintln(os.Stderr, "upper: nothing to do")
		os.Exit(1)
	}
	os.Stdout.Write(bytes.ToUpper(input))
}
