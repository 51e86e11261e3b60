// Command nexus is the master of a hive, and the tool to use one.
package main

import (
	"os"

	"github.com/hive-spore/hive/internal/cli"
)

func main() { os.Exit(cli.Nexus(os.Args[1:], cli.System())) }
