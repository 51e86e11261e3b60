// Package cli is what the nexus and spore programs do at a terminal.
//
// Rules of speech: data goes to stdout, speech to stderr. An error is one line
// that says what was wrong and where ("nexus: …"), and where it helps a second
// one that says what to do ("nexus: hint: …"). Text that came from elsewhere is
// shown with its control characters escaped.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/config"
)

// Exit codes, in one table.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitTaskFailed  = 3
	exitUnreachable = 4
	exitInterrupted = 130
)

// System is the process' own streams and environment.
func System() IO {
	return IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv}
}

// IO is where a program reads and speaks.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
}

// width is the terminal's width if w is one, else 0.
func width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 80
	}
	return columns
}

// app is one run of a program.
type app struct {
	IO
	name  string // "nexus" or "spore"
	flags globalFlags
	cfg   *config.Config // set by configure
}

// globalFlags are those of every command.
type globalFlags struct {
	config   string
	redis    string
	insecure bool
	json     bool
}

// say writes a line of speech.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.Err, a.name+": "+format+"\n", args...)
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errTaskFailed says that the command did its work, but a task failed. What
// failed has been said.
var errTaskFailed = errors.New("a task failed")

// errInterrupted is the cause of a context that a signal ended.
var errInterrupted = errors.New("interrupted")

// run executes a command tree and turns its error into speech and an exit code.
func (a *app) run(root *cobra.Command, args []string) int {
	root.SetArgs(args)
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%s (%s --help shows the flags)", flagText(err), c.CommandPath())
	})
	ctx, stop := interruptible()
	defer stop()
	return a.report(ctx, root.ExecuteContext(ctx))
}

// flagText says in words what is wrong with the value of a flag.
func flagText(err error) string {
	cause := errors.Unwrap(err)
	if cause == nil {
		return err.Error()
	}
	want := cause.Error()
	text := strings.TrimSuffix(err.Error(), want)
	if _, ok := errors.AsType[*strconv.NumError](cause); ok && strings.HasPrefix(want, "strconv.ParseFloat") {
		want = "want a number"
	} else if ok || strings.HasPrefix(want, "strconv.ParseInt") {
		want = "want a whole number"
	} else if strings.HasPrefix(want, "time: ") {
		want = "want a time such as 90s or 5m"
	}
	return text + want
}

// interruptible returns a context that the first SIGINT or SIGTERM ends.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, ok := <-signals; ok {
			signal.Stop(signals) // from now on a signal ends the process
			cancel(errInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
	}
}

func (a *app) report(ctx context.Context, err error) int {
	_, stopping := errors.AsType[stopError](err)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errTaskFailed):
		return exitTaskFailed
	case !stopping && (errors.Is(err, errInterrupted) || errors.Is(context.Cause(ctx), errInterrupted)):
		a.say("interrupted")
		return exitInterrupted
	}
	a.sayError(err)
	return exitCode(err)
}

// sayError says what went wrong, and what to do if that is known.
func (a *app) sayError(err error) {
	last := ""
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimPrefix(strings.TrimRight(line, "\n"), a.name+": ")
		if line != last { // of what is done to a road that is gone, all fails alike
			a.say("%s", safe(line))
		}
		last = line
	}
	if h := hint(err); h != "" {
		a.say("hint: %s", h)
	}
}

func exitCode(err error) int {
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	if errors.Is(err, hive.ErrUnreachable) {
		return exitUnreachable
	}
	return exitFailed
}

func hint(err error) string {
	_, stopping := errors.AsType[stopError](err)
	switch {
	case stopping: // it was there
		return ""
	case errors.Is(err, hive.ErrUnreachable) && strings.Contains(err.Error(), "sentinels") && strings.Contains(err.Error(), "password"):
		return "the sentinels have a password of their own: REDIS_SENTINEL_PASSWORD or redis.sentinel_password_file"
	case errors.Is(err, hive.ErrUnreachable) && strings.Contains(err.Error(), " may not "):
		return "it takes another user of Redis; nexus config acl makes one for each role and each spore"
	case errors.Is(err, hive.ErrUnreachable) && strings.Contains(err.Error(), "takes no writes"):
		return "" // that says what to do
	case errors.Is(err, hive.ErrFull):
		return "raise maxmemory of Redis, or keep what is over for less time (queue.retention); what is on the road goes on"
	case errors.Is(err, hive.ErrUnreachable):
		return "say where Redis is with --redis URL or REDIS_HOST, and its password with REDIS_PASSWORD; `nexus run` and `nexus dev` need none"
	case errors.Is(err, bundle.ErrPassphrase):
		return "HIVE_KEY_PASSPHRASE holds the passphrase; without it you are asked, on a terminal"
	case bundle.Reason(err) == bundle.ReasonMissing && strings.HasPrefix(err.Error(), "metadata/timestamp.json"):
		return "the repository is not sealed yet (nexus bundle seal), or there is none"
	case errors.Is(err, hive.ErrDisabled):
		return "unset ENABLE_HIVE or set it to true"
	}
	return ""
}

// untilAgain returns a context for shutting down: the next SIGINT or SIGTERM ends
// it.
func untilAgain() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}
