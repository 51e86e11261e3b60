package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestListKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := ListKeys(dir, ""); err == nil || err.Error() != dir+": no keys there; nexus keys init makes some" {
		t.Errorf("ListKeys of an empty folder = %v", err)
	}
	root, targets, wrong := newKey(t, RoleRoot), newKey(t, RoleTargets), newKey(t, RoleNexus)
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(root.Save(path("root-2.key"), "open"), targets.Save(path("targets-1.key"), ""), targets.Save(path("targets-2.key"), ""),
		wrong.Save(path("snapshot.key"), ""), os.Chmod(path("targets-2.key"), 0o640), os.WriteFile(path("timestamp.key"), []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for passphrase, id := range map[string]string{"": "", "open": root.ID()} {
		want := []string{
			"root root-2.key 0600 true " + id + " <nil>",
			"targets targets-1.key 0600 false " + targets.ID() + " <nil>",
			"targets targets-2.key 0640 false  " + path("targets-2.key") + ": others may read or change it (mode 0640); chmod 600 " + path("targets-2.key") + ", and think of the key as known",
			"snapshot snapshot.key 0600 false  " + path("snapshot.key") + ": it is a nexus key",
			"timestamp timestamp.key 0600 false  " + path("timestamp.key") + ": not a key as nexus keys init writes it, or damaged",
		}
		list, err := ListKeys(dir, passphrase)
		var got []string
		for _, k := range list {
			got = append(got, fmt.Sprintf("%s %s %04o %v %s %v", k.Role, k.File, k.Mode, k.Locked, k.ID, k.Err))
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("ListKeys(%q) = %v\n%s\nwant\n%s", passphrase, err, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	list, err := ListKeys(dir, "shut")
	if err != nil || list[0].ID != "" || !list[0].Locked || list[0].Err == nil {
		t.Errorf("ListKeys with a wrong passphrase = %+v, %v", list, err)
	}
}

func TestReadRoot(t *testing.T) {
	t.Parallel()
	data := firstRoot(t, testRoles(), began.Add(time.Hour))
	info, err := ReadRoot(data)
	if err != nil || info.Version != 1 || !info.Expires.Equal(began.Add(time.Hour)) || len(info.Roles) != 4 {
		t.Fatalf("ReadRoot = %+v, %v", info, err)
	}
	if r := info.Roles[RoleTargets]; r.Need != 2 || !slices.Equal(r.Keys, []string{key("targets-1").ID(), key("targets-2").ID(), key("targets-3").ID()}) {
		t.Errorf("ReadRoot says of targets: %+v", r)
	}
	for _, bad := range [][]byte{nil, []byte("{}"), must(testRoles().first(keys("root-1"), began))} {
		if _, err := ReadRoot(bad); Reason(err) == "" || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ReadRoot(%.20q) = %v", bad, err)
		}
	}
}
