package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

// What stands in a folder of passwords: the rules, and for each user the password and,
// while it is being changed, the one before. The endings keep users with dots in
// their names apart.
const (
	usersFile      = "users.acl"
	passwordEnding = ".password"
	previousEnding = ".previous"
)

// passwords is a folder of them.
type passwords struct {
	dir     string
	written []string // paths
}

func newPassword() string { return rand.Text() }

// keepPasswords makes the passwords that are missing, changes those that are to be,
// and returns the users with all that are good.
func keepPasswords(f aclFlags) (*passwords, []broker.User, error) {
	p := &passwords{dir: f.out}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, nil, err
	}
	spores, err := p.spores()
	if err != nil {
		return nil, nil, err
	}
	if err := p.change(f.rotate, p.rotate); err != nil {
		return nil, nil, err
	}
	if err := p.change(f.retire, p.retire); err != nil {
		return nil, nil, err
	}
	var errs []error
	users := usersOf(append(spores, f.spores...), func(name string) []string {
		good, err := p.of(name)
		errs = append(errs, err)
		return good
	})
	return p, users, errors.Join(errs...)
}

func (p *passwords) path(file string) string { return filepath.Join(p.dir, file) }

// spores are those that have a password here.
func (p *passwords) spores() (names []string, err error) {
	files, err := os.ReadDir(p.dir)
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Name(), passwordEnding)
		if ok && !slices.Contains(fixedRoles, broker.Role(name)) && hive.CheckNodeID(name) == nil {
			names = append(names, name)
		}
	}
	return names, err
}

func (p *passwords) change(names []string, how func(string) error) error {
	for _, name := range names {
		if err := how(name); err != nil {
			return err
		}
	}
	return nil
}

// rotate keeps the old password before it writes the new one: at no moment is there
// none that Redis knows.
func (p *passwords) rotate(name string) error {
	old, err := p.read(name + passwordEnding)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--rotate %.40q: %s has no password of this user", name, p.dir)
	}
	if err != nil {
		return err
	}
	if _, err := p.read(name + previousEnding); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--rotate %s: its last change is not over; --retire %s ends it", name, name)
	}
	if err := p.write(name+previousEnding, old+"\n"); err != nil {
		return err
	}
	return p.write(name+passwordEnding, newPassword()+"\n")
}

func (p *passwords) retire(name string) error {
	if _, err := p.read(name + previousEnding); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--retire %.40q: %s has no old password of this user", name, p.dir)
	}
	return os.Remove(p.path(name + previousEnding))
}

// of returns the passwords of a user that are good, and makes the first.
func (p *passwords) of(name string) ([]string, error) {
	password, err := p.read(name + passwordEnding)
	if errors.Is(err, fs.ErrNotExist) {
		password = newPassword()
		err = p.write(name+passwordEnding, password+"\n")
	}
	if err != nil {
		return nil, err
	}
	previous, err := p.read(name + previousEnding)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{password}, nil
	}
	return []string{password, previous}, err
}

// read returns a password that nobody else may read, and nobody could guess.
func (p *passwords) read(file string) (string, error) {
	if !filepath.IsLocal(file) || filepath.Base(file) != file {
		return "", fmt.Errorf("%.60q: %w", file, fs.ErrNotExist)
	}
	path := p.path(file)
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s: others may read it (%v); chmod 600 it, and --rotate the user if they did", path, info.Mode())
	}
	text, err := os.ReadFile(path)
	password := strings.TrimRight(string(text), "\r\n")
	if err == nil && (len(password) < leastPassword || strings.ContainsFunc(password, unfit)) {
		err = fmt.Errorf("%s: not a password of %d characters or more without spaces; remove it to have a new one made", path, leastPassword)
	}
	return password, err
}

// leastPassword is how short a password may be of which others see a hash.
const leastPassword = 16

// write puts a file there whole or not at all.
func (p *passwords) write(file, text string) error {
	f, err := os.CreateTemp(p.dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), p.path(file))
	}
	if err == nil {
		p.written = append(p.written, p.path(file))
	}
	return err
}
