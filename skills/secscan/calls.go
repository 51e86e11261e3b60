package main

import (
	"strings"
)

// callSite is a function call as far as one line shows it.
type callSite struct {
	before string   // the line up to the call
	name   string   // what the expression matched, without the parenthesis
	args   []string // trimmed
	after  string   // the line behind the call
	closed bool     // false if the arguments go on in the next line
}

// call finds calls of functions whose name matches an expression, where a check of the call agrees.
func call(name string, ok func(c callSite) bool) finder {
	return patternIf(name+`\s*\(`, func(v view, groups []int) bool {
		c := parseCall(v.text, groups)
		return !c.isDefinition() && !c.isQuoted(v) && ok(c)
	})
}

// anyCall is the check of functions that should not be called at all.
func anyCall(callSite) bool { return true }

// maxArgs bounds how much text is looked at for the arguments of one call.
const maxArgs = 600

func parseCall(text string, groups []int) callSite {
	from := groups[0]
	if !isNameByte(text[from]) { // what the expression wants to see before the name
		from++
	}
	c := callSite{before: text[:from], name: strings.TrimRight(text[groups[0]:groups[1]], "( \t")}
	c.args, c.after, c.closed = splitArgs(text[groups[1]:min(len(text), groups[1]+maxArgs)])
	return c
}

// definition matches the head of a function. A default in it need not be a value that anybody uses.
const definition = `^\s*(?:export\s+)?(?:async\s+)?(?:def|func|function)\b`

var definitionExpr = lazy(`\b(?:def|func|function|fn)\s*$`)

// isDefinition tells the head of a function or method from a call.
func (c callSite) isDefinition() bool {
	near := c.before[max(0, len(c.before)-maxGap):]
	return definitionExpr().MatchString(near) || c.closed && strings.HasPrefix(strings.TrimSpace(c.after), "{")
}

// isQuoted says that the call is the text of a string. A template may hold code, and a place of a long line
// may start in the middle of a string, so neither counts.
func (c callSite) isQuoted(v view) bool {
	if len(v.text) < len(v.line) {
		return false
	}
	open := openQuote(c.before)
	return open == '"' || open == '\''
}

// arg returns an argument, or nothing.
func (c callSite) arg(i int) string {
	if i < len(c.args) {
		return c.args[i]
	}
	return ""
}

// firstDynamic says that the first argument is not a constant. One that stands on the next line is not
// seen; it is taken for dynamic, since constants are short and stand on the same line.
func (c callSite) firstDynamic() bool {
	return dynamic(c.arg(0)) || len(c.args) == 0 && !c.closed
}

func (c callSite) anyDynamic() bool {
	for _, arg := range c.args {
		if dynamic(arg) {
			return true
		}
	}
	return len(c.args) == 0 && !c.closed
}

// constant says that all arguments are there and are literals.
func (c callSite) constant() bool { return !c.anyDynamic() }

func (c callSite) anyBuilt() bool {
	for _, arg := range c.args {
		if built(arg) {
			return true
		}
	}
	return false
}

// splitArgs splits what follows an opening parenthesis into arguments, up to the closing one.
func splitArgs(text string) (args []string, after string, closed bool) {
	depth, from := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"', '\'', '`':
			i = skipString(text, i) - 1
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth < 0 {
				return appendArg(args, text[from:i]), text[i+1:], true
			}
		case ',':
			if depth == 0 {
				args, from = appendArg(args, text[from:i]), i+1
			}
		}
	}
	return appendArg(args, text[from:]), "", false
}

func appendArg(args []string, arg string) []string {
	if arg = strings.TrimSpace(arg); arg != "" {
		args = append(args, arg)
	}
	return args
}

// skipString returns the place behind the string literal that starts at i.
func skipString(text string, i int) int {
	quote := text[i : i+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(text[i:], triple) {
		return skipTo(text, i+3, triple)
	}
	return skipTo(text, i+1, quote)
}

func skipTo(text string, i int, quote string) int {
	for ; i < len(text); i++ {
		if text[i] == '\\' {
			i++
		} else if strings.HasPrefix(text[i:], quote) {
			return i + len(quote)
		}
	}
	return len(text)
}

// dynamic says that an expression is more than literals.
func dynamic(expr string) bool {
	skeleton, interpolated := withoutStrings(expr)
	return interpolated || identifierExpr().MatchString(skeleton)
}

// built says that an expression puts a string together from a literal and something else.
func built(expr string) bool {
	skeleton, interpolated := withoutStrings(expr)
	if interpolated {
		return true
	}
	return builtExpr().MatchString(skeleton) && identifierExpr().MatchString(skeleton)
}

var (
	identifierExpr = lazy(`[A-Za-z_$]`)
	// Literals are reduced to "" when this is applied.
	builtExpr = lazy(`""\s*[+%]|[+]\s*""|""\s*\.(?:format|concat|join|replace)\b|[Pp]rintf\(|\bformat\(`)
)

// withoutStrings reduces the string literals of an expression to "", and says whether one of them takes
// in values: an f-string of Python or a template of JavaScript.
func withoutStrings(expr string) (skeleton string, interpolated bool) {
	var out []byte
	for i := 0; i < len(expr); {
		if strings.IndexByte("\"'`", expr[i]) < 0 {
			out = append(out, expr[i])
			i++
			continue
		}
		end := skipString(expr, i)
		prefix := stringPrefix(expr[:i])
		interpolated = interpolated || interpolates(prefix, expr[i:end])
		out = append(out[:len(out)-len(prefix)], `""`...)
		i = end
	}
	return string(out), interpolated
}

// stringPrefix returns the letters right before a literal that change its meaning, as in rb"...".
func stringPrefix(before string) string {
	name := before[len(strings.TrimRightFunc(before, isNameRune)):]
	if len(name) <= 2 && strings.Trim(name, "rRbBuUfF") == "" {
		return name
	}
	return ""
}

func isNameRune(r rune) bool {
	return r == '_' || r < 0x80 && isAlphanumeric(byte(r))
}

func interpolates(prefix, literal string) bool {
	if literal[0] == '`' {
		return strings.Contains(literal, "${")
	}
	return strings.ContainsAny(prefix, "fF") && strings.Contains(literal, "{")
}
