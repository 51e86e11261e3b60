// Command probe is a skill whose arguments say what it does.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 3 {
		os.Exit(2)
	}
	var err error
	switch verb, operand := os.Args[1], os.Args[2]; verb {
	case "args":
		fmt.Printf("%q", os.Args)
	case "env":
		fmt.Print(os.Getenv(operand))
	case "read":
		var text []byte
		text, err = os.ReadFile(operand)
		os.Stdout.Write(text)
	case "write":
		err = os.WriteFile(operand, nil, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
