package runtime

import (
	"fmt"
	"os"
	"path"

	"github.com/hive-spore/hive/runtime/preview1"
)

// mount opens the directories that the guest may read. They are closed when the
// attempt is over, with all that the guest opened in them.
func (a *attempt) mount() error {
	if len(a.Mounts) == 0 {
		return nil
	}
	if n := len(a.Mounts); n > preview1.MaxFiles {
		return fmt.Errorf("%d mounts, at most %d are possible", n, preview1.MaxFiles)
	}
	a.wasi = a.preview1()
	for _, m := range a.Mounts {
		root, err := os.OpenRoot(m.Host)
		if err != nil {
			return fmt.Errorf("mount %s: %w", m.Guest, err)
		}
		// Guests take their paths from the root, and compare them with names.
		a.wasi.Mounts = append(a.wasi.Mounts, preview1.Mount{Guest: path.Join("/", m.Guest), Root: root})
	}
	return nil
}
