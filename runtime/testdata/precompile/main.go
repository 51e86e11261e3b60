// Command precompile DIR WASM... fills a cache directory with the compiled code
// of programs. The tests run it because wazero compiles a Go program ten times
// slower when it is itself built with the race detector.
package main

import (
	"context"
	"log"
	"os"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/runtime"
)

func main() {
	ctx := context.Background()
	if os.Args[1] == "admit" {
		if err := runtime.Admit(ctx, runtime.Options{Host: hostfuncs.Modules()}, os.Stdin, os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}
	engine, err := runtime.New(ctx, runtime.Options{Host: hostfuncs.Modules(), CacheDir: os.Args[1], Admit: []string{os.Args[0], "admit"}})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close(ctx)
	for _, file := range os.Args[2:] {
		wasm, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := engine.Prepare(ctx, wasm, &hive.Manifest{Name: "precompile"}); err != nil {
			log.Fatalf("%s: %v", file, err)
		}
	}
}
