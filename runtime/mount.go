package runtime

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
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
	w := a.preview1()
	config = wazero.NewModuleConfig().
		WithArgs(w.Args...).
		WithFSConfig(files).
		WithStdin(bytes.NewReader(w.Stdin)).
		WithStdout(w.Stdout).
		WithStderr(w.Stderr).
		WithRandSource(rand.Reader).
		WithSysWalltime().
		WithSysNanotime().
		WithNanosleep(func(ns int64) { a.sleep(time.Duration(ns)) })
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
	free := &atomic.Int32{}
	free.Store(maxFiles)
	for _, m := range mounts {
		root, err := os.OpenRoot(m.Host)
		if err != nil {
			release()
			return nil, nil, fmt.Errorf("mount %s: %w", m.Guest, err)
		}
		roots = append(roots, root)
		files = files.WithFSMount(mounted{root, free}, m.Guest)
	}
	return files, release, nil
}

// maxFiles is how many files an attempt may have open: those of a process are few.
const maxFiles = 64

// mounted shows the files and directories of a root, and nothing else: to open a
// pipe waits for its other end, to open a device can do anything.
type mounted struct {
	root *os.Root
	free *atomic.Int32 // how many more the attempt may open
}

// Open implements fs.FS.
func (m mounted) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if m.free.Add(-1) < 0 {
		m.free.Add(1)
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EMFILE}
	}
	f := &file{free: m.free}
	// Before opening: that alone can do something, such as wake who writes to a pipe.
	info, err := m.root.Stat(name)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	if err != nil {
		m.free.Add(1)
		return nil, err
	}
	if f.File, err = m.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
		m.free.Add(1)
		return nil, err
	}
	// It may have become another one meanwhile.
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() && !info.IsDir() {
		_ = f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f, nil
}

// file counts as open until it is closed.
type file struct {
	*os.File
	free *atomic.Int32
	once sync.Once
}

// Close implements fs.File.
func (f *file) Close() error {
	f.once.Do(func() { f.free.Add(1) })
	return f.File.Close()
}
