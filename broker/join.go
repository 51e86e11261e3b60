package broker

import (
	"regexp"
	"strings"
)

// shared is what all scripts have in common.
var shared = parts(lua("foreign") + lua("prelude"))

// join is a script with all that it uses, and settle behind it, if it enters something that
// settle writes. A script begins anew at each call: what it does not use would take 6 µs.
func join(script string) string {
	used := needed(shared, script)
	if !strings.Contains(used, "local counted") {
		return used + script
	}
	return needed(shared, script+" settle") + "local function script()\n" + script + "end\nlocal answer = script()\nsettle()\nreturn answer\n"
}

// comment is one to the end of its line, no string of ours looks like one; quoted is a string.
var (
	comment = regexp.MustCompile(`(?m)(^|[ \t]+)--.*$`)
	quoted  = regexp.MustCompile(`'[^'\n]*'`)
)

// words are all that may be names.
func words(text string) []string {
	return word.FindAllString(quoted.ReplaceAllString(comment.ReplaceAllString(text, ""), ""), -1)
}

// word is what may be the name of something.
var word = regexp.MustCompile(`[A-Za-z_][A-Za-z_0-9]*`)

// declares finds the names that a line at the left margin declares or defines.
var declares = regexp.MustCompile(`^(?:local function (\w+)|local ([\w, ]+)|(\w+) =)`)

// part is a declaration at the left margin, with all that belongs to it.
type part struct {
	names, words []string
	text         string
}

// parts cuts the text of what scripts share.
func parts(text string) (all []part) {
	for line := range strings.Lines(comment.ReplaceAllString(text, "")) {
		found := declares.FindStringSubmatch(line)
		if found != nil {
			all = append(all, part{names: word.FindAllString(strings.Join(found[1:], " "), -1)})
		}
		if len(all) > 0 && line != "\n" {
			all[len(all)-1].text += line
		}
	}
	for i := range all {
		all[i].words = words(all[i].text)
	}
	return all
}

// needed is the text of those parts that a script uses, by itself or through others.
func needed(all []part, script string) string {
	used, taken := map[string]bool{}, make([]bool, len(all))
	add := func(names []string) {
		for _, w := range names {
			used[w] = true
		}
	}
	add(words(script))
	for again := true; again; {
		again = false
		for i, p := range all {
			for _, name := range p.names {
				if used[name] && !taken[i] {
					taken[i], again = true, true
					add(p.words)
				}
			}
		}
	}
	var text strings.Builder
	for i, p := range all {
		if taken[i] {
			text.WriteString(p.text)
		}
	}
	return text.String()
}
