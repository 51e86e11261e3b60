// Package sdk holds what skills are written with: for each language one source
// file that goes into the skill's folder, and a first skill to begin with.
package sdk

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hive-spore/hive"
)

// files are a folder for each language. The word SKILLNAME stands for the name.
//
//go:embed all:assemblyscript all:rust
var files embed.FS

// Languages are the languages there is an SDK for.
var Languages = []string{"assemblyscript", "rust"}

const nameMark = "SKILLNAME"

// Write makes dir, which must not exist, the folder of a new skill of a name in a
// language.
func Write(dir, language, name string) error {
	if !slices.Contains(Languages, language) {
		return fmt.Errorf("no SDK for %.40q; known: %s", language, strings.Join(Languages, ", "))
	}
	if err := hive.CheckSkillName(name); err != nil {
		return err
	}
	entries, err := fs.ReadDir(files, language)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, entry := range entries {
		text, err := files.ReadFile(language + "/" + entry.Name())
		if err != nil {
			return err
		}
		text = []byte(strings.ReplaceAll(string(text), nameMark, name))
		if err := os.WriteFile(filepath.Join(dir, entry.Name()), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
