package rig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hive-spore/hive/runtime"
)

// Version is the skill as a version whose program has other bytes and does the same: a
// custom section says which it is. Its code is that of any other version.
func (s Skill) Version(n int) Skill {
	text := fmt.Appendf(nil, "\x01v%08d", n)
	s.Program = append(slices.Clone(s.Program), append([]byte{0, byte(len(text))}, text...)...)
	s.Skill.Version, s.Digest, s.Size = fmt.Sprintf("1.%d.0", n), runtime.Digest(s.Program), int64(len(s.Program))
	return s
}

// CodeDir is where spores of a kit keep compiled code.
func (k *Kit) CodeDir() string { return filepath.Join(k.dir, "cache", "hive", "code") }

// ForgetCode has the next spore that wants a skill compile it.
func (k *Kit) ForgetCode() error {
	entries, err := os.ReadDir(k.CodeDir())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(k.CodeDir(), e.Name())))
	}
	return err
}
