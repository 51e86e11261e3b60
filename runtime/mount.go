package runtime

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
)

// config is what the guest sees of the world through wazero's WASI. Release it
// when the instance is closed.
func (a *attempt) config() (config wazero.ModuleConfig, release func(), err error) {
	files, release, err := mount(a.Mounts)
	if err != nil {
		return nil, nil, err
	}
	w := a.world()
	config = wazero.NewModuleConfig().
		WithArgs(w.Args...).
		WithFSConfig(files).
		WithStdin(bytes.NewReader(w.Stdin)).
		WithStdout(w.Stdout).
		WithStderr(w.Stderr).
		WithRandSource(rand.Reader).
		WithSysWalltime().
		WithSysNanotime().
		WithNanosleep(func(ns int64) { a.sleep(a, time.Duration(ns)) })
	for _, variable := range w.Env {
		key, value, _ := strings.Cut(variable, "=")
		config = config.WithEnv(key, value)
	}
	return config, release, nil
}

// mount opens the directories the guest may read. A root, unlike wazero's own
// read-only mount, cannot be left by ".." or by a symbolic link.
func mount(mounts []Mount) (wazero.FSConfig, func(), error) {
	files := wazero.NewFSConfig()
	var roots []*os.Root
	release := func() {
		for _, r := range roots {
			_ = r.Close()
		}
	}
	for _, m := range mounts {
		root, err := os.OpenRoot(m.Host)
		if err != nil {
			release()
			return nil, nil, fmt.Errorf("mount %s: %w", m.Guest, err)
		}
		roots = append(roots, root)
		files = files.WithFSMount(root.FS(), m.Guest)
	}
	return files, release, nil
}
