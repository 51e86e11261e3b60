package main

import (
	"strings"
)

// assignment is a literal value given to a name, in any of the ways that files do that.
type assignment struct {
	name  span
	class nameClass
	value span
}

// nameParts are parts that every name of a class has; they are also the keywords of the rules.
var nameParts = []string{
	"pass", "pwd", "pswd", "_pw", "pw=", "pw:", "pw ", "pw\"", "pw'", "secret", "token", "key", "cred", "auth",
	"bearer", "jwt", "salt", "cookie", "_pat",
}

// assignments returns the values given to names of any secret class. Several rules ask for them.
func (v view) assignments() []assignment {
	place := span{v.offset, v.offset + len(v.text)}
	found, known := v.shared.assignments[place]
	if !known {
		found = findAssignments(v)
		v.shared.assignments[place] = found
	}
	return found
}

func findAssignments(v view) []assignment {
	var found []assignment
	var quotes []byte
	last := -1
	partIndex().each(v.text, func(at span, _ []int) {
		name := nameAround(v.text, at)
		if name.start <= last {
			return
		}
		last = name.start
		class := v.shared.classify(v.text[name.start:name.end])
		if class == plainName || v.shared.names == maxNames {
			return
		}
		v.shared.names++
		if quotes == nil {
			quotes = openQuotes(v.text)
		}
		found = appendValue(found, v, assignment{name: name, class: class}, quotes[name.start])
	})
	return found
}

// maxNames bounds how many names of secrets are looked at in a file. Only data has more, and it would
// take minutes.
const maxNames = 50_000

// maxTail bounds the text after a name in which its value is looked for.
const maxTail = 200

func appendValue(found []assignment, v view, a assignment, open byte) []assignment {
	name, tail := v.text[a.name.start:a.name.end], v.text[a.name.end:min(len(v.text), a.name.end+maxTail)]
	n := nameSite{name: name, before: v.text[:a.name.start], after: tail, open: open}
	if !n.mayHaveValue() {
		return found
	}
	for _, f := range forms {
		if value, ok := f.value(v.kinds, n); ok {
			a.value = value.moved(a.name.end)
			return append(found, a)
		}
	}
	return found
}

// nameAround widens a part of a name to the name.
func nameAround(text string, at span) span {
	for at.end > at.start && !isNameByte(text[at.end-1]) {
		at.end--
	}
	for at.start > 0 && isNameByte(text[at.start-1]) {
		at.start--
	}
	for at.end < len(text) && isNameByte(text[at.end]) {
		at.end++
	}
	at.start += len(text[at.start:at.end]) - len(strings.TrimLeft(text[at.start:at.end], "-"))
	at.end -= len(text[at.start:at.end]) - len(strings.TrimRight(text[at.start:at.end], "-"))
	return at
}

func isNameByte(b byte) bool { return b == '_' || b == '-' || isAlphanumeric(b) }

// assignedTo finds assignments to names of a class whose value passes a check.
func assignedTo(class nameClass, ok func(value string) bool) finder {
	return func(v view) []match {
		var found []match
		for _, a := range v.assignments() {
			value := v.text[a.value.start:a.value.end]
			name := v.text[a.name.start:a.name.end]
			if a.class == class && ok(value) && !isSameName(name, value) && (hasDigit(value) || !v.casual()) {
				found = append(found, match{span{a.name.start, a.value.end}, append(siblings(v.text, a.value), a.value)})
			}
		}
		return found
	}
}

var siblingExpr = lazy("^[\"'`]\\s*,\\s*[\"'`]([^\"'`]+)[\"'`]\\s*(?:[,\\])}]|$)")

// siblings are the other literals of a list of secrets.
func siblings(text string, first span) []span {
	var found []span
	for at := first.end; at < len(text); {
		groups := siblingExpr().FindStringSubmatchIndex(text[at:])
		if groups == nil {
			return found
		}
		found = append(found, span{at + groups[2], at + groups[3]})
		at += groups[3]
	}
	return found
}

// isSameName says that a constant holds its own name. A password may be "password" nevertheless.
func isSameName(name, value string) bool {
	same := strings.Join(nameWords(name), "") == strings.Join(nameWords(value), "")
	return same && !isWeakPassword(value)
}
