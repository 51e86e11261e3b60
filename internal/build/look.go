package build

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Files are the sources of a skill as one look found them, by their path in the
// folder.
type Files map[string]stamp

// stamp changes when a file is saved.
type stamp struct {
	size    int64
	changed int64 // Unix ns
	mode    fs.FileMode
}

// Look finds the files that a skill is made from: those of its folder, without what
// a build makes (output, and directories of caches and packages) and what editors
// leave behind; or the one .wasm file. What cannot be read is not there.
func Look(skill, output string) Files {
	found := Files{}
	if info, err := os.Stat(skill); err == nil && !info.IsDir() {
		found.add(filepath.Base(skill), info)
		return found
	}
	folder := os.DirFS(skill)
	_ = fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
		case entry.IsDir():
			if _, err := fs.Stat(folder, name+"/CACHEDIR.TAG"); err == nil || strings.HasPrefix(entry.Name(), ".") || slices.Contains(madeDirs, entry.Name()) {
				return fs.SkipDir
			}
		case name == output || leftBehind(entry.Name()):
		default:
			if info, err := entry.Info(); err == nil {
				found.add(name, info)
			}
		}
		return nil
	})
	return found
}

func (f Files) add(name string, info fs.FileInfo) {
	f[name] = stamp{info.Size(), info.ModTime().UnixNano(), info.Mode()}
}

// madeDirs are what cargo and npm make where they build.
var madeDirs = []string{"target", "node_modules"}

// leftBehind reports whether a file is an editor's, and not a source: hidden ones,
// locks, backups and trials.
func leftBehind(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") || strings.HasSuffix(name, "~") ||
		slices.Contains([]string{".swp", ".swx", ".tmp", ".bak"}, path.Ext(name)) || name == "4913" // vim tries with that whether it may write
}

// Equal reports whether nothing was saved from one look to another.
func (f Files) Equal(g Files) bool { return maps.Equal(f, g) }

// Differ lists the files that are in one only, or not the same, in no order.
func (f Files) Differ(g Files) (names []string) {
	for name, was := range f {
		if is, there := g[name]; !there || is != was {
			names = append(names, name)
		}
	}
	for name := range g {
		if _, there := f[name]; !there {
			names = append(names, name)
		}
	}
	return names
}
