package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/internal/nearest"
)

// The TOML parser's memory grows with the square of how deep keys nest (64 KiB
// of "a.a.a" take 15 GiB), so what makes them deep or long is bounded before it
// sees them: dots in a key, inline tables, and the length of a line.
const (
	maxTOMLLine   = 4 << 10
	maxTOMLBraces = 256
)

var longKey = regexp.MustCompile(`(?:(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){16}`)

// keys says what a TOML file may hold. Keys are exact: unlike the parser's own
// struct decoding, Name is not name.
type keys struct {
	leaves map[string]setter
	// tables holds plain tables as nil, and tables of free keys with string
	// values as the map to fill.
	tables map[string]map[string]string
}

// setter takes the value of one key, or says why it cannot.
type setter func(v any) error

// decode gives every value to its setter and complains of all others, in the
// order of the file. False says that text is not TOML.
func (k keys) decode(text []byte, c *complaints) bool {
	var tree map[string]any
	meta, err := decodeTOML(text, &tree)
	if err != nil {
		c.errs = append(c.errs, err)
		return false
	}
	done := map[string]bool{}
	for _, key := range meta.Keys() {
		k.visit(tree, key, done, c)
	}
	return true
}

// decodeTOML parses text, or says in which line it cannot.
func decodeTOML(text []byte, tree *map[string]any) (toml.MetaData, error) {
	braces := 0
	for i, l := range bytes.Split(text, []byte("\n")) {
		braces += bytes.Count(l, []byte("{"))
		if len(l) > maxTOMLLine || braces > maxTOMLBraces || longKey.Match(l) {
			return toml.MetaData{}, fmt.Errorf("%s:%d: line too long or nested too deep", FileName, i+1)
		}
	}
	meta, err := toml.Decode(string(text), tree)
	if bad, ok := errors.AsType[toml.ParseError](err); ok {
		err = line{fmt.Sprintf("%s:%d", FileName, bad.Position.Line), errors.New(bad.Message)}
	}
	return meta, err
}

// visit walks down to key and handles the first part of it that is not a
// table, once.
func (k keys) visit(tree map[string]any, key toml.Key, done map[string]bool, c *complaints) {
	var free map[string]string // the table of free keys we stand in
	for i := range key {
		name := key[:i+1].String()
		if done[name] {
			return
		}
		fill, isTable := k.tables[name]
		next, gotTable := tree[key[i]].(map[string]any)
		if free == nil && isTable && gotTable {
			tree, free = next, fill
			continue
		}
		done[name] = true
		k.take(name, key[i], tree[key[i]], free, c)
		return
	}
}

// take handles one value: of a free key, of a known one, or of neither.
func (k keys) take(name, last string, v any, free map[string]string, c *complaints) {
	set, known := k.leaves[name]
	_, isTable := k.tables[name]
	switch {
	case free != nil:
		var s string
		c.check(name, text(&s)(v))
		free[last] = s
	case known:
		c.check(name, set(v))
	case isTable:
		c.add(name, "want a table, got %s", kindOf(v))
	default:
		c.add(name, "unknown key%s", k.hint(name))
	}
}

func (k keys) hint(name string) string {
	var known []string
	for leaf := range k.leaves {
		known = append(known, leaf)
	}
	for table := range k.tables {
		known = append(known, table)
	}
	if near := nearest.Of(name, known); near != "" {
		return fmt.Sprintf(" (did you mean %s?)", near)
	}
	return ""
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case int64:
		return "a whole number"
	case float64:
		return "a fraction"
	case bool:
		return "true or false"
	case time.Time:
		return "a date"
	case []any:
		return "a list"
	case []map[string]any:
		return "a list of tables"
	}
	return "a table"
}

func text(p *string) setter {
	return func(v any) error {
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("want text in quotes, got %s", kindOf(v))
		}
		*p = s
		return nil
	}
}

func list(p *[]string) setter {
	return func(v any) error {
		items, ok := v.([]any)
		if !ok {
			return fmt.Errorf("want a list as [\"a\", \"b\"], got %s", kindOf(v))
		}
		if len(items) == 0 {
			return nil // nil, as in a manifest that came over the wire
		}
		texts := make([]string, len(items))
		for i, item := range items {
			if err := text(&texts[i])(item); err != nil {
				return fmt.Errorf("item %d: %w", i+1, err)
			}
		}
		*p = texts
		return nil
	}
}

// number takes a whole number from low to high and stores it times unit.
func number(p *int64, unit, low, high int64) setter {
	return func(v any) error {
		n, ok := v.(int64)
		switch {
		case !ok:
			return fmt.Errorf("want a whole number, got %s", kindOf(v))
		case low == high && n != low:
			return fmt.Errorf("%d: this hive reads %d only", n, low)
		case n < low || n > high:
			return fmt.Errorf("%d: want %d to %d", n, low, high)
		}
		*p = n * unit
		return nil
	}
}

func duration(p *time.Duration, low, high time.Duration) setter {
	return func(v any) error {
		s, ok := v.(string)
		d, err := time.ParseDuration(strings.TrimSpace(s))
		switch {
		case !ok:
			return fmt.Errorf("want a time such as \"20s\", got %s", kindOf(v))
		case err != nil:
			return fmt.Errorf("%.40q: want a time such as \"20s\"", s)
		case d < low || d > high:
			return fmt.Errorf("%v: want %v to %v", d, low, high)
		}
		*p = d
		return nil
	}
}

func selector(p *hive.Selector) setter {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		sel, err := hive.ParseSelector(s)
		*p = sel
		return err
	}
}

func boolean(p **bool) setter {
	return func(v any) error {
		b, ok := v.(bool)
		if !ok {
			return fmt.Errorf("want true or false, got %s", kindOf(v))
		}
		*p = &b
		return nil
	}
}
