package cli

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"unicode/utf8"

	"github.com/hive-spore/hive/bundle"
)

// leastRunes is how many different characters a token of chance has: one of 32 hex
// digits has fewer only once in thousands of times.
const leastRunes = 8

func sharedToken(_ context.Context, p *patient) finding {
	token := p.cfg.Nexus.Token.Reveal()
	if token == "" {
		return skip("none is set, and nothing asks for it yet")
	}
	different := map[rune]bool{}
	for _, r := range token {
		different[r] = true
	}
	if len(different) < leastRunes {
		return miss("make one by chance, such as with openssl rand -hex 32", "its %d characters are only %d different ones", utf8.RuneCountInString(token), len(different))
	}
	return good("%d characters", utf8.RuneCountInString(token)) // fewer than 32 are no configuration
}

// othersMay reports a file or folder that others than its owner have rights to. Windows
// has no such modes.
func othersMay(path string) (fs.FileMode, bool) {
	info, err := os.Stat(path)
	if err != nil || goruntime.GOOS == "windows" {
		return 0, false
	}
	return info.Mode().Perm(), info.Mode().Perm()&0o077 != 0
}

func secretFiles(_ context.Context, p *patient) finding {
	r := &p.cfg.Redis
	files, open := 0, []string{}
	for _, path := range []string{r.PasswordFile, r.SentinelPasswordFile, r.Key, p.cfg.Nexus.TokenFile} {
		if path == "" {
			continue
		}
		files++
		if mode, may := othersMay(path); may {
			open = append(open, fmt.Sprintf("%s (mode %04o)", path, mode))
		}
	}
	switch {
	case len(open) > 0:
		return miss("chmod 600, and change what is in them", "others may read or change %s", some(open))
	case files == 0:
		return good("no secret is in a file that the configuration names")
	}
	return good("%s that only you may read", plural(files, "file"))
}

func keyFiles(_ context.Context, p *patient) finding {
	dir := p.cfg.OTA.Keys
	switch {
	case dir == "":
		return skip("ota.keys names no directory of keys")
	case p.noKey != nil:
		return miss("bring the keys of snapshot, timestamp and nexus there", "%v", p.noKey)
	}
	if mode, may := othersMay(dir); may {
		return miss("chmod 700 "+dir, "others may look into %s (mode %04o)", dir, mode)
	}
	for _, key := range p.keys {
		if key.Err != nil {
			return miss("nexus keys show "+dir+" shows all of them", "%v", key.Err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, bundle.NextKeys)); err == nil {
		return miss("nexus keys rotate ends it", "a rotation was interrupted: there are keys in %s", filepath.Join(dir, bundle.NextKeys))
	}
	return good("%s that only you may read, in a folder that only you may look into", plural(len(p.keys), "key"))
}

func offline(key bundle.KeyInfo) bool {
	return key.Role == bundle.RoleRoot || key.Role == bundle.RoleTargets
}

// offlineKeys: who breaks into a nexus must not find the keys that add code.
func offlineKeys(_ context.Context, p *patient) finding {
	var names []string
	online := false
	for _, key := range p.keys {
		if offline(key) {
			names = append(names, key.File)
		} else {
			online = true
		}
	}
	switch {
	case len(p.keys) == 0:
		return skip("there are no keys here")
	case len(names) > 0 && online:
		return miss("move them to where no nexus runs, with copies", "offline keys lie beside the online ones: %s", some(names))
	case len(names) > 0:
		return good("only a publisher's keys are here, and none of a nexus")
	}
	return good("no key of root or targets is here")
}

func passphrases(_ context.Context, p *patient) finding {
	var names []string
	for _, key := range p.keys {
		if offline(key) && key.Err == nil && !key.Locked {
			names = append(names, key.File)
		}
	}
	switch {
	case len(p.keys) == 0:
		return skip("there are no keys here")
	case len(names) > 0:
		return miss("nexus keys rotate, with HIVE_KEY_PASSPHRASE set, makes keys that have one", "offline keys without a passphrase: %s", some(names))
	case slices.ContainsFunc(p.keys, offline):
		return good("all offline keys here have one")
	}
	return good("no key of root or targets is here")
}
