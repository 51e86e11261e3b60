package htmltext

import (
	"strings"

	"github.com/hive-spore/hive/skills/internal/wordset"
)

// attr returns the value of an attribute and whether it is there at all.
func (n *node) attr(name string) (value string, ok bool) {
	rest := n.attrs
	for {
		key, value, tail, ok := cutAttr(rest)
		if !ok {
			return "", false
		}
		if strings.EqualFold(key, name) {
			return value, true
		}
		rest = tail
	}
}

// is reports whether an attribute has one of the values, in any case.
func (n *node) is(name string, values wordset.Set) bool {
	value, ok := n.attr(name)
	return ok && values[strings.ToLower(strings.TrimSpace(value))]
}

// attrSpace separates attributes.
const attrSpace = " \t\r\n\f/"

// cutAttr reads the first attribute of src; ok is false if there is none.
func cutAttr(src string) (key, value, rest string, ok bool) {
	src = strings.TrimLeft(src, attrSpace)
	if src == "" {
		return "", "", "", false
	}
	key, rest = src, ""
	if i := strings.IndexAny(src[1:], "="+attrSpace); i >= 0 {
		key, rest = src[:i+1], src[i+1:]
	}
	afterEquals, found := strings.CutPrefix(strings.TrimLeft(rest, attrSpace), "=")
	if !found {
		return key, "", rest, true
	}
	value, rest = cutValue(strings.TrimLeft(afterEquals, attrSpace))
	return key, value, rest, true
}

// cutValue reads an attribute value, quoted or not.
func cutValue(src string) (value, rest string) {
	if src != "" && (src[0] == '"' || src[0] == '\'') {
		value, rest, _ = strings.Cut(src[1:], src[:1])
		return value, rest
	}
	if i := strings.IndexAny(src, " \t\r\n\f"); i >= 0 {
		return src[:i], src[i:]
	}
	return src, ""
}
