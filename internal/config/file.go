package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/BurntSushi/toml"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/internal/nearest"
)

// tomlFile is hive.toml on its way into a Config.
type tomlFile struct {
	*loader
	path  string
	known map[string]key  // by name
	done  map[string]bool // names that have been handled
}

// text takes the text of the file at path.
func (l *loader) text(path string, text []byte) {
	var tree map[string]any
	meta, err := decode(path, text, &tree)
	if err != nil {
		l.errs = append(l.errs, err)
		return
	}
	f := tomlFile{l, path, map[string]key{}, map[string]bool{}}
	for _, k := range l.config.keys() {
		f.known[k.name] = k
	}
	for _, parts := range meta.Keys() {
		f.visit(tree, parts)
	}
}

// visit walks down to parts and handles the first of it that is not a section,
// once.
func (f *tomlFile) visit(tree map[string]any, parts toml.Key) {
	for i := range parts {
		name := parts[:i+1].String()
		if f.done[name] {
			return
		}
		value := tree[parts[i]]
		section, isTable := value.(map[string]any)
		if isTable && slices.Contains(sections(), name) {
			tree = section
			continue
		}
		f.done[name] = true
		f.take(name, value)
		return
	}
}

// take handles one value of the file.
func (f *tomlFile) take(name string, value any) {
	k, known := f.known[name]
	where := f.path + ": " + name
	switch {
	case known && k.secret():
		f.complain(where, fmt.Errorf("a secret does not belong in this file; use %s or %s_file", k.env, name))
	case known:
		f.origin[name] = where
		if err := k.set(value); err != nil {
			f.refuse(name, where, err)
		} else if k.path {
			k.beside(filepath.Dir(f.path))
		}
	case slices.Contains(sections(), name):
		f.complain(where, errors.New("want a section"))
	default:
		f.complain(where, fmt.Errorf("unknown key%s", f.hint(name)))
	}
}

// hint names the key that a writer of name most likely meant, if there is one.
func (f *tomlFile) hint(name string) string {
	if near := nearest.Of(name, slices.AppendSeq(sections(), maps.Keys(f.known))); near != "" {
		return fmt.Sprintf(" (did you mean %s?)", near)
	}
	return ""
}

// readFile reads a file of at most limit bytes; its errors do not name it.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, bare(err)
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("more than %d bytes: %w", limit, hive.ErrTooLarge)
	}
	return text, nil
}

func bare(err error) error {
	if bad, ok := errors.AsType[*os.PathError](err); ok {
		return bad.Err
	}
	return err
}

// The TOML parser's memory grows with the square of how deep keys nest, so that
// is bounded before it sees them.
const (
	maxLine   = 4 << 10
	maxBraces = 256
)

var longKey = regexp.MustCompile(`(?:(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){16}`)

// decode parses text, or says in which line of the file it cannot.
func decode(path string, text []byte, tree *map[string]any) (toml.MetaData, error) {
	braces := 0
	for i, l := range bytes.Split(text, []byte("\n")) {
		braces += bytes.Count(l, []byte("{"))
		if len(l) > maxLine || braces > maxBraces || longKey.Match(l) {
			return toml.MetaData{}, fmt.Errorf("%s:%d: line too long or nested too deep", path, i+1)
		}
	}
	meta, err := toml.Decode(string(text), tree)
	if bad, ok := errors.AsType[toml.ParseError](err); ok {
		err = fmt.Errorf("%s:%d: %s", path, bad.Position.Line, bad.Message)
	}
	return meta, err
}
