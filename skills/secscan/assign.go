package main

import (
	"regexp"
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

// form is one way to give a value to a name.
type form struct {
	kinds kind
	// starts are the bytes that may follow the name; they save trying most forms.
	starts string
	// expr matches what follows the name; its capture group is the value.
	expr func() *regexp.Regexp
	// fits checks the name and what stands before it; nil means anything.
	fits func(before, name string) bool
}

const (
	// quotedValue is a literal with its quotes, with what may stand around it: a list, a conversion, a prefix.
	quotedValue = `[\[({]?\s*(?:\[\]byte\(|Buffer\.from\(|SecretStr\(|bytes\(|str\(|(?:\w+\.)?String\(|new \w+\()?` +
		`(?:[bBrRuU@]{1,2}|[fF]|\$)?` +
		`(?:"((?:[^"\\]|\\.)+)(?:"|$)|'((?:[^'\\]|\\.)+)(?:'|$)|` + "`([^`]+)(?:`|$)" + `|\\"([^"\\]+)\\"|\\'([^'\\]+)\\')`
	// annotation is a type between the name and the sign: password: str = "...", password string = "...".
	annotation = `(?:\s*:\s*[&*]?[A-Za-z_'][\w.<>\[\]| ]{0,30}|\s+\*?[A-Za-z_][\w.]*(?:\[\])?|\[\w*\])`
	sign       = `(?:` + annotation + `\s*=|\s*(?::=|=>|[!=]==?|\?=|\+=|=|:|\|\|=?|\?\?=?|\?:|\bor\b))\s*`
	bareStart  = `[^\s"'` + "`" + `$<>{}()\[\]|&*!%,;=:#]`
)

var forms = []form{
	{
		// password = "...", "password": "...", os.environ["PASSWORD"] = "...", process.env.PASSWORD || "..."
		starts: "\\\"'`])}?! \t:=|[",
		expr:   lazy(`^\\?["'` + "`" + `]?\s{0,3}[\])}]{0,2}[?!]?` + sign + quotedValue),
	},
	{
		// getenv("PASSWORD", "..."), add_argument("--password", default="...")
		starts: `"'`, fits: opensArguments,
		expr: lazy(`^["']\s*,\s*(?:[^"']*\bdefault\s*=\s*)?` + quotedValue),
	},
	{
		// .password("..."), setPassword("...")
		starts: "(", fits: isSetter,
		expr: lazy(`^\(\s*` + quotedValue + `\s*[,)]`),
	},
	{
		// password: hunter, alone on its line
		kinds: kindBare, starts: `"' :?+=`, fits: isKey,
		expr: lazy(`^["']?\s*[:?+]?[=:]\s*(` + bareStart + `[^\s"']*)\s*,?\s*(?:[#;].*)?$`),
	},
	{
		// docker run -e PASSWORD=hunter
		kinds: kindBare | kindNPM, starts: "=",
		expr: lazy(`^=(` + bareStart + `[^\s"'&|;,)]*)`),
	},
	{
		// ENV PASSWORD hunter
		kinds: kindDocker, starts: " \t", fits: followsENV,
		expr: lazy(`^\s+["']?([^\s"'=]+)["']?\s*$`),
	},
	{
		// "host=db password=hunter", "https://host/?token=..."
		kinds: kindQuoted, starts: "=", fits: inString,
		expr: lazy(`^=(` + bareStart + "[^\\s\"'`;&,)<>\\\\]*)"),
	},
	{
		// <password>hunter</password>
		starts: ">", expr: lazy(`^>\s*([^<>\s]+)\s*</`),
	},
	{
		// name="password" value="hunter"
		starts: `"'`, expr: lazy(`^["']\s+(?:value|content|default)\s*=\s*` + quotedValue),
	},
	{
		// --password hunter
		kinds: kindBare | kindNPM | kindJSON, starts: " =", fits: isOption,
		expr: lazy(`^[ =]["']?([^\s"'$<{%\[(-][^\s"'` + "`" + `]*)`),
	},
	{
		// os.system("tool --password hunter")
		kinds: kindCode, starts: " =", fits: isQuotedOption,
		expr: lazy(`^[ =]([^\s"'$<{%\[(-][^\s"'` + "`" + `]*)`),
	},
	{
		// ${PASSWORD:-hunter}
		starts: ":-=", fits: isExpansion,
		expr: lazy(`^:?[-=]["']?([^}$"']+)["']?\}`),
	},
}

var opensArgumentsExpr = lazy(`(?:(?:\(|(?i:var|flag\w*)\([^"']*,)\s*["'][\w.-]*|["']--[\w-]*)$`)

func opensArguments(before, _ string) bool { return opensArgumentsExpr().MatchString(before) }

var getterExpr = lazy(fold(
	`^(?:get|read|load|fetch|find|lookup|parse|check|validate|verify|is|has|hash|compare|prompt|ask)`,
	`^(?:encrypt|decrypt|encode|decode|reset|change|forgot|show|require)`,
))

// isSetter accepts .password("...") and setPassword("..."), but not getPassword("...").
func isSetter(before, name string) bool {
	return !getterExpr().MatchString(name) && (strings.HasSuffix(before, ".") || strings.HasPrefix(name, "set"))
}

var keyExpr = lazy(`^\s*(?:[#;]\s*)?(?:-\s+)?` +
	`(?:(?:export|set|setx|local|readonly|declare(?: -\w+)?|typeset|ENV|ARG|\$env:)\s*)?["']?[\w./:-]*$`)

// isKey says that the name is the key of its line.
func isKey(before, _ string) bool { return keyExpr().MatchString(before) }

func followsENV(before, _ string) bool { return strings.TrimSpace(before) == "ENV" }

func isExpansion(before, _ string) bool { return strings.HasSuffix(before, "${") }

func isOption(before, _ string) bool { return strings.HasSuffix(before, "--") }

// takesWord says that the name needs no sign before its value.
func takesWord(before string) bool { return isOption(before, "") || followsENV(before, "") }

func isQuotedOption(before, _ string) bool { return isOption(before, "") && openQuote(before) != 0 }

func inString(before, _ string) bool { return openQuote(before) != 0 }

// openQuote returns the quote of the string literal that is open at the end of a text, or 0.
func openQuote(text string) byte {
	var open byte
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '\\':
			i++
		case open == 0 && strings.IndexByte("\"'`", b) >= 0:
			open = b
		case open == b:
			open = 0
		}
	}
	return open
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
	last := -1
	partIndex().each(v.text, func(at span, _ []int) {
		name := nameAround(v.text, at)
		if name.start <= last {
			return
		}
		last = name.start
		if class := v.shared.classify(v.text[name.start:name.end]); class != plainName {
			found = appendValue(found, v, name, class)
		}
	})
	return found
}

func appendValue(found []assignment, v view, name span, class nameClass) []assignment {
	gap := v.text[name.end:min(len(v.text), name.end+maxGap)]
	if !strings.ContainsAny(gap, "=:,(>|?}") && !takesWord(v.text[:name.start]) {
		return found
	}
	for _, f := range forms {
		if value, ok := f.value(v, name); ok {
			return append(found, assignment{name, class, value})
		}
	}
	return found
}

// maxGap is more than what stands between a name and the sign of an assignment. Looking for the sign first
// saves trying all forms on every mention of a key.
const maxGap = 64

// maxTail bounds the text after a name in which its value is looked for.
const maxTail = 200

func (f form) value(v view, name span) (span, bool) {
	before, after := v.text[:name.start], v.text[name.end:min(len(v.text), name.end+maxTail)]
	if f.kinds != 0 && f.kinds&v.kinds == 0 || after == "" || strings.IndexByte(f.starts, after[0]) < 0 {
		return span{}, false
	}
	groups := f.expr().FindStringSubmatchIndex(after)
	if groups == nil || f.fits != nil && !f.fits(before, v.text[name.start:name.end]) {
		return span{}, false
	}
	value := matchOf(groups).secrets[0].moved(name.end)
	return value, !closesString(before, after, v.text[:value.start])
}

// closesString says that the quote before a value is the end of the string that the name is in, as in
// "PASSWORD=" + password. A name with its own quotes is a key.
func closesString(before, after, upToValue string) bool {
	open := openQuote(before)
	if open == 0 || strings.HasPrefix(after, string(open)) {
		return false
	}
	return strings.HasSuffix(upToValue, string(open)) && !strings.HasSuffix(upToValue, `\`+string(open))
}

// nameAround widens a part of a name to the name.
func nameAround(text string, at span) span {
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
