package main

import (
	"slices"
	"strings"
)

// directive says which findings of a line a secscan:ignore comment suppresses. The zero value suppresses
// nothing.
type directive struct {
	all   bool
	rules []string
}

const ignoreMark = "secscan:ignore"

var (
	// A letter, digit or dash right after the mark makes it another word, say secscan:ignored.
	ignoreExpr = lazy(ignoreMark +
		`(-next-line)?(?:[ \t]+([a-z][a-z0-9-]*(?:[ \t]*,[ \t]*[a-z][a-z0-9-]*)*))?(?:[^\w-]|$)`)
	// The line of an ignore-next-line holds nothing but the comment.
	ignoreNextExpr = lazy(`^[\s/#*;<!{%"'-]*` + ignoreMark + `-next-line[\s\w,-]*[\s*/>}%"',:-]*$`)
)

func (d directive) suppresses(rule string) bool {
	return d.all || slices.Contains(d.rules, rule)
}

func (d directive) and(o directive) directive {
	return directive{all: d.all || o.all, rules: append(slices.Clone(d.rules), o.rules...)}
}

// directives returns what a line says about its own findings and about those of the next line.
func directives(line string) (own, next directive) {
	if !strings.Contains(line, ignoreMark) {
		return own, next
	}
	groups := ignoreExpr().FindStringSubmatch(line)
	switch {
	case groups == nil:
		return own, next
	case groups[1] == "":
		return parseDirective(groups[2]), next
	case ignoreNextExpr().MatchString(line):
		return own, parseDirective(groups[2])
	}
	return own, next
}

func parseDirective(list string) directive {
	if list == "" {
		return directive{all: true}
	}
	split := func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }
	return directive{rules: strings.FieldsFunc(list, split)}
}
