package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

func (a *app) keysCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Make, show and replace the keys that sign for bundles"}
	onlyCommands(cmd)
	cmd.AddCommand(a.keysInitCommand(), a.keysShowCommand(), a.keysRotateCommand())
	return cmd
}

func (a *app) keysInitCommand() *cobra.Command {
	var root, targets string
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Make a directory of keys, and the root that trust starts from",
		Long: `Make a directory of keys: root and targets, which sign for what is published and stay
offline; snapshot, timestamp and nexus, which a nexus signs with while it runs; and
root.json, which is no secret: a repository begins with it, and who is to trust the
repository is given it by hand.

The keys of root and targets get a passphrase: HIVE_KEY_PASSPHRASE, or what you say
when asked on a terminal. There is no flag for it, since others see command lines. The
other three have none.

--root 2/3 means three root keys, of which two must sign for a change of keys. One may
then be lost, or stolen, and harms nothing; keep them in different places.`,
		Example: "  nexus keys init keys\n  nexus keys init keys --root 1/1 --targets 2/3",
		Args:    wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.initKeys(cmd.Context(), args[0], root, targets)
		},
	}
	cmd.Flags().StringVar(&root, "root", "2/3", "root keys: how many must sign, of how many")
	cmd.Flags().StringVar(&targets, "targets", "1/1", "targets keys: how many must sign, of how many")
	return cmd
}

func (a *app) initKeys(ctx context.Context, dir, root, targets string) error {
	of, errRoot := quorum("--root", root)
	and, errTargets := quorum("--targets", targets)
	if err := errors.Join(errRoot, errTargets); err != nil {
		return usageError{err}
	}
	if err := a.configure(); err != nil {
		return err
	}
	// Before anybody is asked for a passphrase; InitKeys makes sure.
	if entries, err := os.ReadDir(dir); !errors.Is(err, fs.ErrNotExist) && (err != nil || len(entries) > 0) {
		return fmt.Errorf("%s: there already, and no empty folder; keys are never overwritten", dir)
	}
	passphrase, err := a.newPassphrase(ctx)
	if err != nil {
		return err
	}
	e := audit.Entry{Action: "keys.init", Subject: whole(dir), Fields: map[string]string{"root": root, "targets": targets}}
	err = bundle.InitKeys(dir, of, and, time.Now(), passphrase)
	told := a.recorded(e, err)
	if err != nil {
		return told
	}
	return errors.Join(told, a.printNewKeys(dir, passphrase))
}

func (a *app) printNewKeys(dir, passphrase string) error {
	if passphrase == "" {
		a.say("the keys have no passphrase: whoever can read %s can sign bundles in your name", safe(dir))
	}
	path := filepath.Join(dir, bundle.FirstRoot)
	if a.flags.json {
		return printJSON(a.Out, map[string]any{"path": dir, "root": path, "passphrase": passphrase != ""})
	}
	fmt.Fprintln(a.Out, path)
	a.say("hint: keep copies of the root and targets keys offline, in different places; nexus keys show %s lists them", safe(dir))
	return nil
}

// quorum reads "2/3".
func quorum(flag, text string) (q bundle.Quorum, err error) {
	var rest string
	if n, _ := fmt.Sscanf(text+" .", "%d/%d %s", &q.Need, &q.Of, &rest); n != 3 || rest != "." {
		return q, fmt.Errorf("%s %q: want how many must sign, of how many, such as 2/3", flag, text)
	}
	if err := q.Check(); err != nil {
		return q, fmt.Errorf("%s %q: %w", flag, text, err)
	}
	return q, nil
}

func (a *app) keysShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show DIR",
		Short: "Show what a directory of keys holds, without the keys",
		Long: `Show what a directory of keys holds: roles, files and their modes, whether they have a
passphrase, how many must sign, and the ids that metadata knows the keys by. The keys
themselves are not shown. The id of a key with a passphrase is known with
HIVE_KEY_PASSPHRASE only. Exit code 1 if a key cannot be used as it is.`,
		Args: wantArgs(1, 1),
		RunE: func(_ *cobra.Command, args []string) error { return a.showKeys(args[0]) },
	}
}

// keyView is a key as nexus keys show --json prints it.
type keyView struct {
	Role       string `json:"role"`
	File       string `json:"file"`
	Mode       string `json:"mode"`
	Passphrase bool   `json:"passphrase"`
	ID         string `json:"id,omitempty"`
	Error      string `json:"error,omitempty"`
}

func (a *app) showKeys(dir string) error {
	list, err := bundle.ListKeys(dir, a.Getenv(passphraseEnv))
	if err != nil {
		return err
	}
	root, err := rootOf(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // it may lie elsewhere
		return err
	}
	views, complaints := make([]keyView, len(list)), []error(nil)
	for i, key := range list {
		err := key.Err
		if err == nil && !counts(root, &key) {
			err = fmt.Errorf("%s: version %d of root does not name this key", filepath.Join(dir, key.File), root.Version)
		}
		views[i] = keyView{key.Role, key.File, fmt.Sprintf("%04o", key.Mode), key.Locked, key.ID, ""}
		if err != nil {
			views[i].Error = err.Error()
			complaints = append(complaints, err)
		}
	}
	next := filepath.Join(dir, bundle.NextKeys)
	if _, err := os.Stat(next); err == nil {
		complaints = append(complaints, fmt.Errorf("%s: a rotation was interrupted; nexus keys rotate ends it", next))
	}
	return errors.Join(a.printKeys(root, views), errors.Join(complaints...))
}

// counts reports whether a key is one of root's, as far as is known.
func counts(root *bundle.RootInfo, key *bundle.KeyInfo) bool {
	return root == nil || key.ID == "" || key.Role == bundle.RoleNexus || slices.Contains(root.Roles[key.Role].Keys, key.ID)
}

// rootOf is the newest root of a key directory.
func rootOf(dir string) (*bundle.RootInfo, error) {
	data, err := readRoot(filepath.Join(dir, bundle.NewestRoot))
	if errors.Is(err, fs.ErrNotExist) {
		data, err = readRoot(filepath.Join(dir, bundle.FirstRoot))
	}
	if err != nil {
		return nil, err
	}
	return bundle.ReadRoot(data)
}

func (a *app) printKeys(root *bundle.RootInfo, keys []keyView) error {
	if a.flags.json {
		return printJSON(a.Out, struct {
			Root *bundle.RootInfo `json:"root"`
			Keys []keyView        `json:"keys"`
		}{root, keys})
	}
	rows := make([][]string, len(keys))
	for i, k := range keys {
		locked, need := "no", ""
		switch {
		case k.Passphrase:
			locked = "yes"
		case k.ID == "": // it was not read
			locked = ""
		}
		if root != nil && k.Role != bundle.RoleNexus {
			need = fmt.Sprintf("%d of %d", root.Roles[k.Role].Need, len(root.Roles[k.Role].Keys))
		}
		rows[i] = []string{k.Role, k.File, k.Mode, locked, need, k.ID}
	}
	return table(a.Out, []string{"ROLE", "FILE", "MODE", "PASSPHRASE", "SIGN", "ID"}, rows)
}

// maxRootFile bounds a file with a root, in bytes.
const maxRootFile = 512 << 10

// readRoot reads a file that should hold a root.
func readRoot(path string) ([]byte, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRootFile+1))
	if err == nil && len(data) > maxRootFile {
		err = fmt.Errorf("%s: more than %d bytes: not a root", path, maxRootFile)
	}
	return data, err
}
