package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/hive-spore/hive/bundle"
)

// passphraseEnv names the variable that holds the passphrase of keys. A flag would
// show it to everyone who lists processes.
const passphraseEnv = "HIVE_KEY_PASSPHRASE"

// newPassphrase is one for new keys; empty if nobody is there to be asked.
func (a *app) newPassphrase(ctx context.Context) (string, error) {
	if given := a.Getenv(passphraseEnv); given != "" || a.terminal() == nil {
		return given, nil
	}
	first, err := a.ask(ctx, "Passphrase for the keys of root and targets (empty: none): ")
	if err != nil || first == "" {
		return "", err
	}
	second, err := a.ask(ctx, "The same once more: ")
	if err == nil && second != first {
		err = errors.New("the two passphrases are not the same: nothing was made")
	}
	return first, err
}

// withPassphrase calls use with the passphrase of keys: what the environment says, or
// what a person does if the keys turn out to need one.
func (a *app) withPassphrase(ctx context.Context, use func(passphrase string) error) error {
	err := use(a.Getenv(passphraseEnv))
	if !errors.Is(err, bundle.ErrPassphrase) || a.terminal() == nil {
		return err
	}
	passphrase, err := a.ask(ctx, "Passphrase of the keys: ")
	if err != nil {
		return err
	}
	return use(passphrase)
}

// terminal is where a person can be asked, or nil.
func (a *app) terminal() *os.File {
	f, ok := a.In.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return f
}

// ask reads a line that is not shown. When it is interrupted the terminal shows again
// what is typed; what reads from it ends with the process.
func (a *app) ask(ctx context.Context, prompt string) (string, error) {
	fd := int(a.terminal().Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	type answer struct {
		line []byte
		err  error
	}
	said := make(chan answer, 1)
	fmt.Fprint(a.Err, prompt)
	go func() {
		line, err := term.ReadPassword(fd)
		said <- answer{line, err}
	}()
	defer fmt.Fprintln(a.Err)
	select {
	case got := <-said:
		if got.err != nil {
			return "", fmt.Errorf("read the passphrase: %w", got.err)
		}
		return string(got.line), nil
	case <-ctx.Done():
		return "", errors.Join(context.Cause(ctx), term.Restore(fd, before))
	}
}
