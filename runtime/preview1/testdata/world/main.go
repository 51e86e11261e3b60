// Command world tells what it sees of the world through WASI.
package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	fmt.Println("args", os.Args[1:3], "env", os.Getenv("BEE"))
	input, err := io.ReadAll(os.Stdin)
	fmt.Println("input", string(input), err)
	started := time.Now()
	time.Sleep(time.Millisecond)
	fmt.Println("slept", time.Since(started) > 0, "since 2022", started.Year() >= 2022)
	n, err := rand.Read(make([]byte, 100_000))
	fmt.Println("random", n, err)
	done := make(chan int)
	go func() { done <- 1 }()
	fmt.Println("goroutine", <-done)
	for _, name := range os.Args[3:] {
		text, err := os.ReadFile(name)
		fmt.Println("file", string(text), err)
	}
	closed := os.Stdout.Close()
	if _, err = os.Stdout.WriteString("unheard"); err == nil || closed != nil {
		os.Exit(1)
	}
	os.Exit(len(os.Args))
}
