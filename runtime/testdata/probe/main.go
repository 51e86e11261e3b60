// Command probe does what its first argument says, for the tests of the sandbox.
package main

import (
	crand "crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

func main() {
	switch what := os.Args[len(os.Args)-1]; what {
	case "echo":
		io.Copy(os.Stdout, os.Stdin)
	case "world":
		fmt.Println(strings.Join(os.Args, " "))
		fmt.Println(strings.Join(os.Environ(), " "))
	case "exit":
		fmt.Fprintln(os.Stderr, "first")
		fmt.Fprint(os.Stderr, "the disk is full\n\n")
		os.Exit(3)
	case "panic":
		panic(errors.New("boom"))
	case "close-stdout":
		os.Stdout.Close()
	case "write-file":
		fmt.Println(os.WriteFile("/data/left-behind", []byte("x"), 0o600) != nil)
	case "hungry":
		var all [][]byte
		for {
			all = append(all, make([]byte, 8<<20))
			all[len(all)-1][0] = 1
		}
	case "sleep":
		time.Sleep(time.Hour)
		fmt.Println("slept")
	case "random":
		var b [16]byte
		crand.Read(b[:])
		fmt.Println(hex.EncodeToString(b[:]))
	case "clock":
		fmt.Println(time.Now().Unix())
	case "list":
		entries, err := os.ReadDir("/data")
		fmt.Println(entries, err)
	case "hoard":
		var open []*os.File
		f, err := os.Open("/data/facts")
		for ; err == nil; f, err = os.Open("/data/facts") {
			open = append(open, f)
		}
		open[0].Close()
		_, again := os.Open("/data/facts")
		fmt.Println(len(open), again)
	case "hold-and-panic":
		os.Open("/data/facts")
		panic("with a file open")
	case "hold-and-spin":
		os.Open("/data")
		for {
		}
	default:
		text, err := os.ReadFile(what)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Stdout.Write(text)
	}
}
