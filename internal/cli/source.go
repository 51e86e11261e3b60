package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/embedded"
	"github.com/hive-spore/hive/spore"
)

// sourceFlags say where bundles come from, and whom is trusted.
type sourceFlags struct{ repo, root string }

func (f *sourceFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.repo, "repo", "", "repository of bundles, as http(s)://HOST/PATH or a folder (default: ota.url, else ota.repo)")
	cmd.Flags().StringVar(&f.root, "root", "", "the publisher's root.json, where trust starts (default: ota.root, else root.json in ota.keys)")
}

// repositoryOf is the repository that flags or the configuration name, for a client with a
// state of its own.
func (a *app) repositoryOf(f sourceFlags) (o bundle.ClientOptions, err error) {
	c := &a.cfg.OTA
	root := cmp.Or(f.root, c.Root)
	if root == "" && c.Keys != "" {
		root = filepath.Join(c.Keys, bundle.FirstRoot)
	}
	o = bundle.ClientOptions{Repository: cmp.Or(f.repo, c.URL, c.Repo), Hosts: c.Hosts}
	switch {
	case o.Repository == "":
		return o, usagef("skills come from a repository: name it with --repo URL (or ota.url), as nexus serve --listen shows it")
	case root == "":
		return o, usagef("trust starts with a file: name the publisher's root.json with --root FILE (or ota.root); nexus keys init makes it, and you bring it here")
	}
	o.Root, err = readRoot(root)
	return o, err
}

// bundlesFor has a spore take its skills from the repository that flags or the
// configuration name.
func (a *app) bundlesFor(o *spore.Options, f sourceFlags) (unlock func(), err error) {
	from, err := a.repositoryOf(f)
	if err != nil {
		return nil, err
	}
	o.Bundles = spore.UpdaterOptions{Repository: from, Look: a.cfg.OTA.Look, Between: a.updateEvery()}
	o.Bundles.Repository.State, unlock, err = a.sporeState(o.Name)
	return unlock, err
}

// spareStates is how many spores without a name may run here at once, of those that have
// one folder after another for what they install.
const spareStates = 256

// sporeState is the folder of what a spore has installed, locked against others. Spores
// without a name of their own take the first that is free: what is there saves fetching.
func (a *app) sporeState(name string) (dir string, unlock func(), err error) {
	base := a.cfg.OTA.StateDir
	if base == "" {
		if base = a.cacheDir(); base == "" {
			return "", nil, errors.New("there is no folder to keep bundles in: set ota.state_dir, or HOME")
		}
		base = filepath.Join(base, "spores")
	}
	if name != "" {
		return lockState(filepath.Join(base, name))
	}
	for i := range spareStates {
		if dir, unlock, err = lockState(filepath.Join(base, "."+strconv.Itoa(i+1))); bundle.Reason(err) != bundle.ReasonBusy {
			break
		}
	}
	return dir, unlock, err
}

// stateTaken says that another spore runs on a state.
type stateTaken struct {
	dir string
	error
}

func (e stateTaken) Error() string {
	return e.dir + ": another spore of this machine has its bundles there: choose another --name or ota.state_dir"
}

func (e stateTaken) Unwrap() error { return e.error }

func lockState(dir string) (string, func(), error) {
	lock, err := bundle.LockFolder(dir)
	if bundle.Reason(err) == bundle.ReasonBusy {
		return "", nil, stateTaken{dir, err}
	}
	if err != nil {
		return "", nil, err
	}
	return dir, func() { _ = lock.Close() }, nil
}

// follow calls use with a client that has verified what the repository holds now, and
// remembers nothing.
func (a *app) follow(ctx context.Context, f sourceFlags, use func(*bundle.Client) error) (err error) {
	if err := a.configure(); err != nil {
		return err
	}
	o, err := a.repositoryOf(f)
	if err != nil {
		return err
	}
	if o.State, err = os.MkdirTemp("", "hive-client-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.State)) }()
	c, err := bundle.NewClient(o)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Refresh(ctx); err != nil {
		return err
	}
	return use(c)
}

// program fetches the program of a skill from the repository.
func (a *app) program(ctx context.Context, f sourceFlags, s *hive.Skill) (program []byte, err error) {
	err = a.follow(ctx, f, func(c *bundle.Client) error {
		path, err := c.Blob(ctx, s.Digest, s.Size)
		if err == nil {
			program, err = os.ReadFile(path)
		}
		return err
	})
	return program, err
}

// devConfig is the file by which other commands find a development hive.
const devConfig = "hive.toml"

// writeDevConfig writes it, and says so.
func (a *app) writeDevConfig(h *embedded.Hive) error {
	var text strings.Builder
	if addr := h.Addr(); addr != "" {
		fmt.Fprintf(&text, "[redis]\nurl = %q\n", "redis://"+addr)
	}
	text.WriteString("[ota]\nrepo = \"repo\"\nkeys = \"keys\"\nupdate_every = \"0s\"\n")
	path := filepath.Join(h.Dir, devConfig)
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return err
	}
	a.say("hint: HIVE_CONFIG=%s lets nexus skill register and replay find its keys", path)
	return nil
}
