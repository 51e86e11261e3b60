package manifest

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/hive-spore/hive"
)

// complaints gathers what is wrong with one source, one line each:
// "skill.toml: limits.memory: unknown key".
type complaints struct {
	source string
	keys   map[string]bool
	errs   []error
}

// add complains about key.
func (c *complaints) add(key, format string, args ...any) {
	if c.keys == nil {
		c.keys = map[string]bool{}
	}
	c.keys[key] = true
	c.errs = append(c.errs, line{c.source + ": " + printable(key, maxLine/4), fmt.Errorf(format, args...)})
}

// check complains if err is one.
func (c *complaints) check(key string, err error) {
	if err != nil {
		c.add(key, "%w", err)
	}
}

// about reports whether there is a complaint about key already, so that a
// follow-up ("missing") is not a second one.
func (c *complaints) about(key string) bool { return c.keys[key] }

func (c *complaints) join() error { return errors.Join(c.errs...) }

// line is an error of one printable line of bounded length, whatever foreign
// text it quotes.
type line struct {
	where string
	err   error
}

const maxLine = 400 // bytes of a complaint

func (l line) Error() string { return printable(l.where+": "+l.err.Error(), maxLine) }
func (l line) Unwrap() error { return l.err }

// printable returns s as one line of at most n bytes with nothing in it that
// moves a terminal's cursor.
func printable(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, hive.Clip(s, n))
	return hive.Clip(s, n)
}
