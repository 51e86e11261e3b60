package hostfuncs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/hive-spore/hive"
)

// maxSecret bounds a secret's value in bytes.
const maxSecret = 64 << 10

// secretPrefix begins the environment variables that hold secrets.
const secretPrefix = "HIVE_SECRET_"

// Secrets returns what is kept under a name, and whether anything is.
type Secrets func(name string) (value string, ok bool)

var secretFunctions = []function{{"secret", hive.GrantSecrets, "B", secret}}

// errNoSecrets answers where none are kept.
var errNoSecrets = errors.New("this spore keeps no secrets")

// secret is secret(name_ptr, name_len i32) -> i32: it answers what the spore keeps
// under a name. From then on the value is kept out of the attempt's log.
//
//	memory  |····|API_TOKEN|····|    ->    answer  |value|
//	             ptr       ptr+len
func secret(c *call) int32 {
	name, code := c.text(0, hive.MaxKVKey)
	switch {
	case code != 0:
		return code
	case hive.CheckProvided(name) != nil:
		return errInvalid
	case !slices.Contains(c.Allow.Secrets, name):
		return errDenied
	case c.Secrets == nil:
		return c.unavailable(errNoSecrets)
	}
	value, ok := c.Secrets(name)
	if !ok {
		return errAbsent
	}
	c.readSecret(value)
	return c.reply([]byte(value))
}

// checkSecret reports what is not kept: what is too short to be kept out of logs and
// recordings, which it would be in by chance, and what is too long.
func checkSecret(value string) error {
	switch {
	case len(value) < minSecret:
		return fmt.Errorf("%d bytes, at least %d wanted: shorter ones cannot be kept out of logs", len(value), minSecret)
	case len(value) > maxSecret:
		return fmt.Errorf("more than %d bytes", maxSecret)
	}
	return nil
}

// SecretsFrom returns what Attempt.Secrets is to be: the files of a folder, "" for
// none, and the environment variables HIVE_SECRET_NAME; of both the file counts.
// One newline at a file's end is not part of its value. All are read now, so that
// what is wrong is said when the spore starts. Errors name files, never values.
//
// Files whose names begin with a dot are left out: folders that an orchestrator
// mounts have some, to which the others are links.
func SecretsFrom(dir string) (Secrets, error) {
	values := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		name, ok := strings.CutPrefix(name, secretPrefix)
		if !ok {
			continue
		}
		if err := hive.CheckProvided(name); err != nil {
			return nil, fmt.Errorf("secret %s%.80s: %w", secretPrefix, name, err)
		}
		if err := checkSecret(value); err != nil {
			return nil, fmt.Errorf("secret %s%s: %w", secretPrefix, name, err)
		}
		values[name] = value
	}
	if dir != "" {
		if err := secretFiles(dir, values); err != nil {
			return nil, fmt.Errorf("secrets: %w", err)
		}
	}
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}, nil
}

// secretFiles adds the files of a folder to values.
func secretFiles(dir string, values map[string]string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || entry.IsDir() {
			continue
		}
		if err := hive.CheckProvided(name); err != nil {
			return fmt.Errorf("%.80q: %w", name, err)
		}
		if values[name], err = secretFile(root, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// secretFile reads one. It is opened so that a pipe does not wait for its other
// end, and looked at once it is open, so that it is the file that is read.
func secretFile(root *os.Root, name string) (string, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", withoutPath(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", withoutPath(err)
	case !info.Mode().IsRegular():
		return "", errors.New("not a regular file")
	case info.Mode()&0o027 != 0 && runtime.GOOS != "windows": // which has no such bits
		return "", fmt.Errorf("everybody may read it, or others change it (mode %04o): want a mode such as 0440 or 0600", info.Mode().Perm())
	}
	value, err := io.ReadAll(io.LimitReader(f, maxSecret+2)) // a newline may follow
	if err != nil {
		return "", withoutPath(err)
	}
	text := strings.TrimSuffix(string(value), "\n")
	return text, checkSecret(text)
}

// withoutPath returns what is wrong with a file, without where the spore has it.
func withoutPath(err error) error {
	if bad, ok := errors.AsType[*fs.PathError](err); ok {
		return bad.Err
	}
	return err
}
