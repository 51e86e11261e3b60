// Package sdk holds what a new skill begins with, a folder per language: one
// source file that speaks to the host, and a small skill that uses it.
package sdk

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hive-spore/hive"
)

// folders has one for each language. A file's name may end in templateSuffix:
// go.mod would keep the folder from being embedded, for one.
//
//go:embed all:assemblyscript all:c all:go all:rust
var folders embed.FS

// templateSuffix is what the names of written files lose.
const templateSuffix = ".tmpl"

// placeholder stands for the skill's name, in files and in their names.
const placeholder = "SKILLNAME"

// Languages returns the languages a skill can be begun in, sorted.
func Languages() []string {
	entries, err := folders.ReadDir(".")
	if err != nil {
		panic(err) // it is part of the program
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

// Write makes dir the folder of a new skill. It must be empty or not exist, but its
// parent must. If that fails, nothing was written.
func Write(lang, name, dir string) error {
	if !slices.Contains(Languages(), lang) {
		return fmt.Errorf("no SDK for %.40q; known: %s", lang, strings.Join(Languages(), ", "))
	}
	if err := hive.CheckSkillName(name); err != nil {
		return err
	}
	source, err := fs.Sub(folders, lang)
	if err != nil {
		return err
	}
	fill := func(into string) error { return copyAll(source, name, into) }
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = whole(filepath.Dir(filepath.Clean(dir)), fill, func(made string) error { return os.Rename(made, dir) })
	case err == nil && len(entries) > 0:
		err = fmt.Errorf("%s is not empty: it has %s", dir, entries[0].Name())
	case err == nil: // somebody may stand in it
		err = whole(dir, fill, func(made string) error { return moveAll(made, dir) })
	}
	if err != nil {
		return fmt.Errorf("new skill: %w", err)
	}
	return nil
}

// whole has a folder filled that nobody looks at, within near, before it is moved.
func whole(near string, fill, move func(folder string) error) error {
	hidden, err := os.MkdirTemp(near, ".new-skill-")
	if err != nil {
		return err
	}
	made := filepath.Join(hidden, "skill") // with the permissions that folders have here
	err = os.Mkdir(made, 0o777)
	if err == nil {
		err = fill(made)
	}
	if err == nil {
		err = move(made)
	}
	return errors.Join(err, os.RemoveAll(hidden))
}

// moveAll moves what is in a folder, all of it or nothing.
func moveAll(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for i, e := range entries {
		err := os.Rename(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
		if err == nil {
			continue
		}
		for _, moved := range entries[:i] {
			err = errors.Join(err, os.RemoveAll(filepath.Join(to, moved.Name())))
		}
		return err
	}
	return nil
}

// copyAll writes the files of a template for a skill of this name.
func copyAll(source fs.FS, name, into string) error {
	return fs.WalkDir(source, ".", func(from string, entry fs.DirEntry, err error) error {
		if err != nil || from == "." {
			return err
		}
		to := filepath.Join(into, filepath.FromSlash(written(from, name)))
		if entry.IsDir() {
			return os.Mkdir(to, 0o777)
		}
		text, err := fs.ReadFile(source, from)
		if err != nil {
			return err
		}
		return os.WriteFile(to, []byte(strings.ReplaceAll(string(text), placeholder, name)), 0o666)
	})
}

// written is the path that a file of a template gets.
func written(from, name string) string {
	return strings.TrimSuffix(strings.ReplaceAll(from, placeholder, name), templateSuffix)
}
