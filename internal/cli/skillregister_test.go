package cli

import (
	"testing"

	"github.com/hive-spore/hive"
)

func TestRegisteredBefore(t *testing.T) {
	t.Parallel()
	list := func(versions ...string) (known []hive.Skill) {
		for _, v := range versions {
			known = append(known, hive.Skill{Manifest: hive.Manifest{Name: "a", Version: v}})
		}
		return append(known, hive.Skill{Manifest: hive.Manifest{Name: "b", Version: "9.0.0"}})
	}
	for _, tt := range []struct {
		known   []hive.Skill // as the road lists them
		version string
		want    string
	}{
		{list(), "1.0.0", ""},
		{list("1.10.0", "1.2.0"), "2.0.0", "1.10.0"},
		{list("1.10.0", "1.2.0"), "1.2.0", "1.2.0"},
		{list("1.10.0", "2.0.0-rc.1"), "2.0.0", "1.10.0"},
		{list("2.0.0-rc.2", "2.0.0-rc.1"), "2.0.0", "2.0.0-rc.2"},
		{list("1.0.0-watch", "1.0.0-dev.x0123456789ab"), "1.0.0", ""},
		{list("1.0.0-watch", "0.9.0-rc.1"), "1.0.0", "0.9.0-rc.1"},
	} {
		got := ""
		if before := registeredBefore(&hive.Skill{Manifest: hive.Manifest{Name: "a", Version: tt.version}}, tt.known); before != nil {
			got = before.Version
		}
		if got != tt.want {
			t.Errorf("%s is compared with %q, want %q", tt.version, got, tt.want)
		}
	}
}
