package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/hive-spore/hive"
)

// WriteTOML writes the configuration as a hive.toml that says the same. A
// secret that is set stands in it as a comment, redacted.
func (c *Config) WriteTOML(w io.Writer) error {
	shown := c.shown()
	var b strings.Builder
	section := ""
	for _, k := range shown.keys() {
		prefix, name, inSection := strings.Cut(k.name, ".")
		if !inSection {
			prefix, name = "", k.name
		}
		if prefix != section {
			section = prefix
			fmt.Fprintf(&b, "\n[%s]\n", section)
		}
		if err := writeKey(&b, k, name); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Tree is what WriteTOML writes as nested maps, with secrets that are set redacted.
func (c *Config) Tree() map[string]any {
	tree := map[string]any{}
	shown := c.shown()
	for _, k := range shown.keys() {
		if k.secret() && k.value.String() == "" {
			continue
		}
		section, name, inSection := strings.Cut(k.name, ".")
		if !inSection {
			tree[k.name] = plain(k.value)
			continue
		}
		if tree[section] == nil {
			tree[section] = map[string]any{}
		}
		tree[section].(map[string]any)[name] = plain(k.value)
	}
	return tree
}

// shown is c without an address that may hold a password.
func (c *Config) shown() Config {
	shown := *c
	if shown.Redis.absorb() != nil {
		shown.Redis.URL = redacted
	}
	return shown
}

func writeKey(w io.Writer, k key, name string) error {
	if k.secret() {
		if k.value.String() != "" {
			fmt.Fprintf(w, "# %s = %q\n", name, redacted)
		}
		return nil
	}
	text, err := toml.Marshal(map[string]any{name: plain(k.value)})
	if err != nil {
		return fmt.Errorf("write %s: %w", k.name, err)
	}
	_, err = w.Write(text)
	return err
}

// plain turns a value into what TOML has.
func plain(v reflect.Value) any {
	switch v := v.Interface().(type) {
	case time.Duration:
		return short(v)
	case hive.Tags:
		return v.String()
	case []string:
		return append([]string{}, v...) // not nil, which TOML would leave out
	default:
		return v
	}
}

// short is a duration without the zeroes that its String ends in: 5m, not 5m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
