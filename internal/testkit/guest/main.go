// Command guest is the skill that tests run: its payload says what it does.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	payload, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Exit(9)
	}
	verb, rest, _ := strings.Cut(string(payload), " ")
	switch verb {
	case "echo":
		fmt.Print(rest)
	case "log":
		fmt.Fprintln(os.Stderr, rest)
	case "exit":
		code, _ := strconv.Atoi(rest)
		os.Exit(code)
	case "sleep":
		d, _ := time.ParseDuration(rest)
		time.Sleep(d)
		fmt.Print("slept")
	case "spin":
		for n := uint64(1); n != 0; n += 2 {
		}
	case "bytes":
		os.Stdout.Write([]byte{0xff, 0x00, 0xfe})
	case "panic":
		panic(rest)
	}
}
