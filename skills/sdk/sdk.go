// Package sdk holds what a new skill begins with, a folder per language: one
// source file that speaks to the host, and a small skill that uses it.
package sdk

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
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

// Write makes dir the folder of a new skill. It must not exist, or be empty. If
// that fails, nothing was written.
func Write(lang, name, dir string) error {
	if err := hive.CheckSkillName(name); err != nil {
		return err
	}
	source, err := fs.Sub(folders, lang)
	if _, statErr := fs.Stat(folders, lang); err != nil || statErr != nil || strings.Contains(lang, "/") || lang == "." {
		return fmt.Errorf("language %.40q: want one of %s", lang, strings.Join(Languages(), ", "))
	}
	if err := checkEmpty(dir); err != nil {
		return err
	}
	return whole(dir, func(into string) error { return copyAll(source, name, into) })
}

// checkEmpty reports a dir that a skill cannot be written to.
func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("new skill: %w", err)
	case len(entries) > 0:
		return fmt.Errorf("new skill: %s is not empty; it has %s", dir, entries[0].Name())
	}
	return nil
}

// whole has fill make a folder beside dir, which then takes the place of dir.
func whole(dir string, fill func(into string) error) (err error) {
	dir = filepath.Clean(dir)
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return fmt.Errorf("new skill: %w", err)
	}
	beside, err := os.MkdirTemp(parent, ".new-skill-")
	if err != nil {
		return fmt.Errorf("new skill: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("new skill: %w", err), os.RemoveAll(beside))
		}
	}()
	into := filepath.Join(beside, "skill") // with the mode that new folders have here
	if err := os.Mkdir(into, 0o777); err != nil {
		return err
	}
	if err := fill(into); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // somebody put something there
	}
	if err := os.Rename(into, dir); err != nil {
		return err
	}
	return os.Remove(beside)
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
	return path.Clean(strings.TrimSuffix(strings.ReplaceAll(from, placeholder, name), templateSuffix))
}
