package main

import (
	"regexp"
	"strings"
)

// form is one way to give a value to a name.
type form struct {
	kinds kind
	// starts are the bytes that may follow the name; they save trying most forms.
	starts string
	// expr matches what follows the name; its capture group is the value.
	expr func() *regexp.Regexp
	// fits checks the name and what stands before it; nil means anything.
	fits func(n nameSite) bool
}

const (
	// quotedValue is a literal with its quotes, with what may stand around it: a list, a conversion, a prefix.
	quotedValue = `[\[(]?\s*(?:\[\]byte\(|Buffer\.from\(|SecretStr\(|bytes\(|str\(|(?:\w+\.)?String\(|new \w+\()?` +
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

// nameSite is a name of a secret, where it stands.
type nameSite struct {
	name   string
	before string // the text up to the name
	after  string // the text behind it, not further than a value can be
	open   byte   // the quote of the string literal that the name is in, or 0
}

var opensArgumentsExpr = lazy(`(?:(?:\(|(?i:var|flag\w*)\([^"']*,)\s*["'][\w.-]*|["']--[\w-]*)$`)

func opensArguments(n nameSite) bool { return opensArgumentsExpr().MatchString(n.before) }

var getterExpr = lazy(fold(
	`^(?:get|read|load|fetch|find|lookup|parse|check|validate|verify|is|has|hash|compare|prompt|ask)`,
	`^(?:encrypt|decrypt|encode|decode|reset|change|forgot|show|require)`,
))

// isSetter accepts .password("...") and setPassword("..."), but not getPassword("...").
func isSetter(n nameSite) bool {
	sets := strings.HasSuffix(n.before, ".") || strings.HasPrefix(n.name, "set")
	return sets && !getterExpr().MatchString(n.name)
}

var keyExpr = lazy(`^\s*(?:[#;]\s*)?(?:-\s+)?` +
	`(?:(?:export|set|setx|local|readonly|declare(?: -\w+)?|typeset|ENV|ARG|\$env:)\s*)?["']?[\w./:-]*$`)

// isKey says that the name is the key of its line.
func isKey(n nameSite) bool { return keyExpr().MatchString(n.before) }

func followsENV(n nameSite) bool { return strings.TrimSpace(n.before) == "ENV" }

func isExpansion(n nameSite) bool { return strings.HasSuffix(n.before, "${") }

func isOption(n nameSite) bool { return strings.HasSuffix(n.before, "--") }

func isQuotedOption(n nameSite) bool { return isOption(n) && n.open != 0 }

func inString(n nameSite) bool { return n.open != 0 }

// maxGap is more than what stands between a name and the sign of an assignment. Looking for the sign first
// saves trying the forms on every mention of a key.
const maxGap = 64

// mayHaveValue says that there is a sign behind the name, or that it needs none.
func (n nameSite) mayHaveValue() bool {
	gap := n.after[:min(len(n.after), maxGap)]
	return strings.ContainsAny(gap, "=:,(>|?}") || isOption(n) || followsENV(n)
}

// value returns the place of the value in the text behind the name.
func (f form) value(kinds kind, n nameSite) (span, bool) {
	if f.kinds != 0 && f.kinds&kinds == 0 || n.after == "" || strings.IndexByte(f.starts, n.after[0]) < 0 {
		return span{}, false
	}
	groups := f.expr().FindStringSubmatchIndex(n.after)
	if groups == nil || f.fits != nil && !f.fits(n) {
		return span{}, false
	}
	value := matchOf(groups).secrets[0]
	return value, !n.closesString(n.after[:value.start])
}

// closesString says that the quote before a value is the end of the string that the name is in, as in
// "PASSWORD=" + password. A name with its own quotes is a key.
func (n nameSite) closesString(upToValue string) bool {
	if n.open == 0 || n.after[0] == n.open {
		return false
	}
	quote := string(n.open)
	return strings.HasSuffix(upToValue, quote) && !strings.HasSuffix(upToValue, `\`+quote)
}
