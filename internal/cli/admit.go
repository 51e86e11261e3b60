package cli

import (
	"os"
	goruntime "runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive/spore"
)

// admitCommand is what this program runs as its own child: skills are compiled
// there for the first time. It is not for people.
func (a *app) admitCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "admit",
		Hidden: true,
		Args:   wantArgs(0, 0),
		RunE:   func(cmd *cobra.Command, _ []string) error { return spore.Admit(cmd.Context(), a.In, a.Out) },
	}
}

// admitBy is the command line of that child, or nothing if this program cannot
// be found any more.
func admitBy() []string {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{self, "admit"}
}

// tune sets up Go for running guests. They keep their thread busy until they give
// way, so there is one more for what must be on time, deadlines and heartbeats.
func tune() {
	goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(0) + 1)
	collectLess()
}

// collectLess is for daemons: what little they hold on to is not worth a collection
// each time that as much was thrown away, which is every few milliseconds under load.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}
