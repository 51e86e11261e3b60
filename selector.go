package hive

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Op is how a Requirement compares.
type Op string

// The operators of a Requirement.
const (
	OpEqual    Op = "="
	OpNotEqual Op = "!="
	OpIn       Op = "in"
	OpNotIn    Op = "notin"
	OpExists   Op = "exists"
	OpAbsent   Op = "!"
	OpGreater  Op = ">"
	OpAtLeast  Op = ">="
	OpLess     Op = "<"
	OpAtMost   Op = "<="
)

// Requirement is one condition on a spore's tags.
type Requirement struct {
	Key    string
	Op     Op
	Values []string // sorted; none for exists and absent, one for comparisons
}

// Selector is what a task requires of a spore: all of its requirements.
// ParseSelector makes it canonical: sorted, each requirement once.
type Selector []Requirement

// maxSelector bounds the text of a selector in bytes.
const maxSelector = 1024

// ParseSelector reads requirements separated by commas, each one of
//
//	gpu=true  zone!=eu  zone in (eu,us)  zone notin (eu,us)
//	gpu  !spot  mem_gb>=16  mem_gb<64
//
// The empty text requires nothing.
func ParseSelector(s string) (Selector, error) {
	if len(s) > maxSelector {
		return nil, fmt.Errorf("selector: %d bytes, at most %d allowed", len(s), maxSelector)
	}
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var sel Selector
	for _, part := range splitOutsideParens(s) {
		if strings.TrimSpace(part) == "" {
			return nil, fmt.Errorf("selector %q: empty requirement between commas", s)
		}
		r, err := parseRequirement(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("selector %q: %w", s, err)
		}
		sel = append(sel, r)
	}
	slices.SortFunc(sel, func(a, b Requirement) int { return strings.Compare(a.String(), b.String()) })
	sel = slices.CompactFunc(sel, func(a, b Requirement) bool { return a.String() == b.String() })
	if err := sel.checkSize(); err != nil {
		return nil, err
	}
	return sel, nil
}

func splitOutsideParens(s string) []string {
	var parts []string
	depth, from := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth <= 0 {
				parts = append(parts, s[from:i])
				from = i + 1
			}
		}
	}
	return append(parts, s[from:])
}

func parseRequirement(s string) (Requirement, error) {
	if key, absent := strings.CutPrefix(s, "!"); absent {
		return newRequirement(strings.TrimSpace(key), OpAbsent)
	}
	i := strings.IndexAny(s, "(!=<>")
	switch {
	case i < 0:
		return newRequirement(s, OpExists)
	case s[i] == '(':
		return parseSet(s, s[:i], s[i+1:])
	}
	for _, op := range []Op{OpNotEqual, OpAtLeast, OpAtMost, OpEqual, OpGreater, OpLess} {
		if value, found := strings.CutPrefix(s[i:], string(op)); found {
			return newRequirement(strings.TrimSpace(s[:i]), op, strings.TrimSpace(value))
		}
	}
	return newRequirement(s, OpExists) // a '!' in the middle: the key is refused
}

func parseSet(s, head, list string) (Requirement, error) {
	words := strings.Fields(head)
	list, closed := strings.CutSuffix(strings.TrimSpace(list), ")")
	if len(words) != 2 || !closed || (words[1] != string(OpIn) && words[1] != string(OpNotIn)) {
		return Requirement{}, fmt.Errorf("%q: want KEY in (A,B) or KEY notin (A,B)", s)
	}
	values := strings.Split(list, ",")
	for i := range values {
		values[i] = strings.TrimSpace(values[i])
	}
	slices.Sort(values)
	values = slices.Compact(values)
	if len(values) == 1 { // one meaning, one text
		return newRequirement(words[0], map[Op]Op{OpIn: OpEqual, OpNotIn: OpNotEqual}[Op(words[1])], values...)
	}
	return newRequirement(words[0], Op(words[1]), values...)
}

func newRequirement(key string, op Op, values ...string) (Requirement, error) {
	r := Requirement{key, op, values}
	return r, r.check()
}

// check reports a requirement whose text ParseSelector would not read.
func (r Requirement) check() error {
	if err := checkTag(r.Key, "x"); err != nil {
		return fmt.Errorf("%w (requirements look like gpu=true, zone in (eu,us), !spot, mem_gb>=16)", err)
	}
	for _, v := range r.Values {
		if err := checkTag(r.Key, v); err != nil {
			return err
		}
	}
	if !r.Op.takes(len(r.Values)) {
		return fmt.Errorf("tag %s: operator %q cannot take %d values", r.Key, r.Op, len(r.Values))
	}
	if r.Op.numeric() {
		if _, ok := number(r.Values[0]); !ok {
			return fmt.Errorf("%s: %q is not a number", r, r.Values[0])
		}
	}
	return nil
}

// check reports a selector that was made by hand and that ParseSelector would
// not read back: the road keeps its text.
func (s Selector) check() error {
	for _, r := range s {
		if err := r.check(); err != nil {
			return fmt.Errorf("selector %.80q: %w", s, err)
		}
	}
	return s.checkSize()
}

// checkSize bounds the canonical text: it can be longer than what was read.
func (s Selector) checkSize() error {
	if n := len(s.String()); n > maxSelector {
		return fmt.Errorf("selector: %d bytes, at most %d allowed", n, maxSelector)
	}
	return nil
}

// number reads a finite number.
func number(s string) (float64, bool) {
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// takes reports whether o is an operator that compares with n values.
func (o Op) takes(n int) bool {
	switch o {
	case OpExists, OpAbsent:
		return n == 0
	case OpIn, OpNotIn:
		return n > 0
	}
	return n == 1 && (o == OpEqual || o == OpNotEqual || o.numeric())
}

func (o Op) numeric() bool {
	return o == OpGreater || o == OpAtLeast || o == OpLess || o == OpAtMost
}

// String returns the canonical text of the requirement.
func (r Requirement) String() string {
	switch r.Op {
	case OpExists:
		return r.Key
	case OpAbsent:
		return "!" + r.Key
	case OpIn, OpNotIn:
		return r.Key + " " + string(r.Op) + " (" + strings.Join(r.Values, ",") + ")"
	}
	return r.Key + string(r.Op) + strings.Join(r.Values, ",")
}

// String returns the one canonical text of the selector: two selectors that
// require the same have the same text, whatever their order and spaces.
func (s Selector) String() string {
	parts := make([]string, len(s))
	for i, r := range s {
		parts[i] = r.String()
	}
	return strings.Join(parts, ",")
}

// Matches reports whether tags meet every requirement.
func (s Selector) Matches(tags Tags) bool {
	for _, r := range s {
		if !r.Matches(tags) {
			return false
		}
	}
	return true
}

// Matches reports whether tags meet the requirement. A missing tag meets only
// !=, notin and !.
func (r Requirement) Matches(tags Tags) bool {
	have, ok := tags[r.Key]
	switch r.Op {
	case OpExists:
		return ok
	case OpAbsent:
		return !ok
	case OpEqual, OpIn:
		return ok && slices.Contains(r.Values, have)
	case OpNotEqual, OpNotIn:
		return !ok || !slices.Contains(r.Values, have)
	}
	return ok && r.compare(have)
}

func (r Requirement) compare(have string) bool {
	h, okHave := number(have)
	w, okWant := number(r.Values[0])
	if !okHave || !okWant {
		return false
	}
	switch r.Op {
	case OpGreater:
		return h > w
	case OpAtLeast:
		return h >= w
	case OpLess:
		return h < w
	}
	return h <= w
}

// MarshalText writes the canonical text.
func (s Selector) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what ParseSelector reads.
func (s *Selector) UnmarshalText(b []byte) error {
	sel, err := ParseSelector(string(b))
	*s = sel
	return err
}
