package runtime

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/sys"

	"github.com/hive-spore/hive"
)

// config is what the guest sees of the world through WASI. Release it when the
// instance is closed.
func (a *attempt) config(ctx context.Context) (config wazero.ModuleConfig, release func(), err error) {
	files, release, err := mount(a.Mounts)
	if err != nil {
		return nil, nil, err
	}
	m := a.skill.manifest
	config = wazero.NewModuleConfig().
		WithName("").         // any number of instances at once
		WithStartFunctions(). // called by us
		WithArgs(slices.Concat([]string{m.Name}, m.Args, a.Args)...).
		WithFSConfig(files).
		WithStderr(a.Log).
		WithRandSource(rand.Reader).
		WithSysWalltime().
		WithSysNanotime().
		WithNanosleep(func(ns int64) { sleep(ctx, time.Duration(ns)) })
	env := maps.Clone(m.Env)
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, a.Env)
	for _, key := range slices.Sorted(maps.Keys(env)) {
		config = config.WithEnv(key, env[key])
	}
	if a.skill.info.Contract == hive.ContractReactor {
		return config.WithStdout(a.Log), release, nil
	}
	return config.WithStdin(bytes.NewReader(a.Payload)).WithStdout(&a.result), release, nil
}

// sleep is a guest's sleep. When the attempt ends first it does not return: the
// guest would go on as if it had slept, and could finish before it is stopped.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		panic(sys.NewExitError(sys.ExitCodeContextCanceled)) // wazero unwinds the guest
	}
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
