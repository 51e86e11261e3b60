package main

import (
	"regexp"
	"strings"
	"sync"
)

// maxPerPlace bounds what one rule finds in one place.
const maxPerPlace = 200

// lazy compiles an expression when it is first needed: most files need few of them.
func lazy(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// anyOf joins expressions. A flag at the start of one does not reach the others.
func anyOf(exprs ...string) string {
	return "(?:(?:" + strings.Join(exprs, ")|(?:") + "))"
}

// fold makes expressions ignore case.
func fold(exprs ...string) string { return "(?i)" + anyOf(exprs...) }

// pattern finds any of some expressions. Their capture groups are the secrets.
func pattern(exprs ...string) finder {
	return patternIf(anyOf(exprs...), func(view, []int) bool { return true })
}

// patternIf finds an expression where a check of the submatches agrees.
func patternIf(expr string, ok func(v view, groups []int) bool) finder {
	compiled := lazy(expr)
	return func(v view) []match {
		var found []match
		for _, groups := range compiled().FindAllStringSubmatchIndex(v.text, maxPerPlace) {
			if ok(v, groups) {
				found = append(found, matchOf(groups))
			}
		}
		return found
	}
}

// secretIf finds an expression where a check of its secrets agrees.
func secretIf(expr string, ok func(secret string) bool) finder {
	return patternIf(expr, func(v view, groups []int) bool {
		for _, s := range matchOf(groups).secrets {
			if !ok(v.text[s.start:s.end]) {
				return false
			}
		}
		return true
	})
}

func matchOf(groups []int) match {
	m := match{span: span{groups[0], groups[1]}}
	for i := 2; i < len(groups); i += 2 {
		if groups[i] >= 0 {
			m.secrets = append(m.secrets, span{groups[i], groups[i+1]})
		}
	}
	return m
}

// unless finds what a finder finds on lines that do not match an expression.
func unless(expr string, find finder) finder {
	compiled := lazy(expr)
	return func(v view) []match {
		found := find(v)
		if len(found) > 0 && compiled().MatchString(v.text) {
			return nil
		}
		return found
	}
}

// having runs a finder on texts that contain one of some parts, which is quicker than to find out that it
// finds nothing.
func having(find finder, parts ...string) finder {
	return func(v view) []match {
		for _, part := range parts {
			if strings.Contains(v.text, part) {
				return find(v)
			}
		}
		return nil
	}
}

// namedValue finds values of a known shape that stand behind a name, for secrets that have no prefix of
// their own: HEROKU_API_KEY=..., "cloudflare_token": "...".
func namedValue(name, value string) finder {
	const between = `[\w.-]{0,40}["'\])]{0,2}\s*(?::=|=>|=|:|,|\s)\s*["'` + "`" + `]?`
	return secretIf(`(?i)(?:`+name+`)`+between+`(`+value+`)(?:[^\w]|$)`, unlikeMask)
}

// unlikeMask rejects what only stands in for a secret: one character, repeated.
func unlikeMask(secret string) bool {
	body := secret[strings.LastIndexAny(secret, "_-.")+1:]
	return len(body) < 4 || strings.Trim(strings.ToLower(body), "x*.") != ""
}

// token finds secrets that a prefix gives away.
func token(exprs ...string) finder {
	return secretIf(anyOf(exprs...), unlikeMask)
}

// either finds what any of some finders finds.
func either(finders ...finder) finder {
	return func(v view) []match {
		var found []match
		for _, find := range finders {
			found = append(found, find(v)...)
		}
		return found
	}
}
