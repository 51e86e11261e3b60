// Command spore is a worker of a hive.
package main

import (
	"os"

	"github.com/hive-spore/hive/internal/cli"
)

func main() { os.Exit(cli.Spore(os.Args[1:], cli.System())) }
