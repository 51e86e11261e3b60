package main

import (
	"math"
	"strings"
)

// A value is judged by what it looks like, since no list of names is good enough: most strings behind
// "token" or "key" are labels.

// placeholderExpr matches values that stand for a secret: references, templates, masks and examples.
var placeholderExpr = lazy(fold(
	`^\$[\w{(]|\$[{(]|\{\{|<[^>]*>|^[<{\[&%]|^#\{|%[sdvq]\b|^@\w+@$`,
	`^[x*.\-_#•0?]+$|xxxx|\*\*\*|\.\.\.|…`,
	`^\s|\s$|:\s*$|^--`,
	`\bexample\b|[-_]example|example[-_.]|placeholder|redacted|dummy|\byour\b|your[_-]|^your`,
	`^insert|^replace|^fill|^enter |[_-]here$| here$|goes.here`,
	`^(?:enc|vault|ref|op|arn|ssm|env|file|secret|kms|sm)[(:]`,
	`^(?:none|null|nil|undefined|true|false|yes|no|on|off|required|optional|string|str|bytes|text|hidden)$`,
	`^(?:unset|not[_-]?set|disabled|enabled|empty|todo|fixme|tbd|n/a|prompt|ask|auto|random|generated)$`,
	`^(?:unknown|basic|bearer|files)$`,
))

// weakPasswords are what people put in before they think of a real one. They are reported, but low: some
// are meant to be replaced, and some never are.
var weakPasswords = map[string]bool{
	"changeme": true, "changeit": true, "changethis": true, "password": true, "passwd": true, "passw0rd": true,
	"password1": true, "password123": true, "pass": true, "pass123": true, "admin": true, "admin123": true,
	"administrator": true, "1234": true, "12345": true, "123456": true, "1234567": true, "12345678": true,
	"123456789": true, "letmein": true, "qwerty": true, "default": true, "guest": true, "root": true, "toor": true,
	"test": true, "test123": true, "testing": true, "testpass": true, "testpassword": true, "secret": true,
	"welcome": true, "welcome1": true, "user": true, "postgres": true, "mysql": true, "redis": true, "foobar": true,
	"foo": true, "bar": true, "abc123": true, "demo": true, "dev": true, "mypassword": true, "iloveyou": true, "p@ssw0rd": true,
}

func isPlaceholder(value string) bool {
	return len(value) < 4 || placeholderExpr().MatchString(value) || isPath(value)
}

var pathExpr = lazy(`^(?:\.{0,2}/|~/|[A-Za-z]:\\|https?://|file://|s3://)`)

func isPath(value string) bool { return pathExpr().MatchString(value) }

func isWeakPassword(value string) bool {
	return weakPasswords[strings.ToLower(strings.Trim(strings.NewReplacer("-", "", "_", "", " ", "").Replace(value), "!."))]
}

// isPassword says that the value of a password name is a password.
func isPassword(value string) bool {
	return !isPlaceholder(value) && !isWeakPassword(value) && !isProse(value) && !isReference(value)
}

// isSecret says that the value of a secret name is a secret and not a label or another name.
func isSecret(value string) bool {
	return len(value) >= 6 && !isPlaceholder(value) && !isProse(value) && !isReference(value) &&
		!isIdentifier(value) && !versionExpr().MatchString(value)
}

// isIdentifier says that a value is a name: words without a digit among them. "my-super-secret" is no name
// that a programmer would give, but it is a secret that one would type.
func isIdentifier(value string) bool {
	if isLabel(value) {
		return true
	}
	if !identifierWordsExpr().MatchString(value) || typedSecretExpr().MatchString(value) || isMixedCase(value) {
		return false
	}
	return len(nameWords(value)) > 1 || len(value) < 8
}

var (
	identifierWordsExpr = lazy(`^_?[A-Za-z]+(?:[_\-.:/]+[A-Za-z]+)*$`)
	typedSecretExpr     = lazy(`(?i)secret|passw|super|hunter`)
)

// isToken says that the value of a token name is a token: it must look random.
func isToken(value string) bool {
	return len(value) >= 8 && secretCharsExpr().MatchString(value) && !isPlaceholder(value) && !isReference(value) &&
		!isLabel(value) && (looksRandom(value) || typedSecretExpr().MatchString(value))
}

// isKeyMaterial says that the value of a key name is a cryptographic key: "key" is the name of everything.
func isKeyMaterial(value string) bool {
	return len(value) >= 16 && isToken(value) && looksRandom(value) && entropyOf(value) >= 3
}

var (
	secretCharsExpr = lazy(`^[A-Za-z0-9_\-+/=.:~!@#%^&*$]+$`)
	referenceExpr   = lazy(`^(?:process\.env|os\.environ|os\.getenv|env\.|var\.|local\.|data\.|module\.|` +
		`projects/|config\.|self\.|this\.|settings\.|secrets?\.|vars\.|[\w.]+\(|[\w.]+\[)`)
)

// isReference says that a value names something that holds the secret.
func isReference(value string) bool { return referenceExpr().MatchString(value) }

// isProse says that a value with spaces is a text for a reader. A passphrase of some words is not.
func isProse(value string) bool {
	words := strings.Fields(value)
	if len(words) < 2 || typedPhraseExpr().MatchString(value) {
		return false
	}
	isSentence := isUpper(words[0][0]) && !hasDigit(value)
	return len(words) > 6 || isSentence || proseExpr().MatchString(value)
}

var (
	// typedPhraseExpr matches how people start a made-up secret.
	typedPhraseExpr = lazy(`(?i)^(?:super|my|very|top)[\w ]*$`)
	proseExpr       = lazy(`(?i)[?:…]$|%|\b` + anyOf(
		`passwords?|passphrase|your|enter|must|please|invalid|required|forgot|forgotten|show|hide|reset|confirm`,
		`change|wrong|incorrect|missing|the|is|are|for|not|and|or|with|of|to|in|field|value|key|token|secret`,
		`from|input|type|an?|no|user|name|label`,
	) + `\b`)
)

// labelWords make up names of secrets. A value of nothing else is a name: AccessTokenKey = "access_token".
var labelWords = map[string]bool{
	"api": true, "key": true, "keys": true, "access": true, "token": true, "tokens": true, "auth": true, "client": true,
	"secret": true, "secrets": true, "refresh": true, "bearer": true, "csrf": true, "xsrf": true, "session": true,
	"id": true, "user": true, "x": true, "private": true, "public": true, "oauth": true, "jwt": true, "password": true,
	"credentials": true, "credential": true, "name": true, "type": true, "app": true, "signing": true, "header": true,
	"authorization": true, "service": true, "account": true, "db": true, "database": true, "tls": true, "ssh": true,
	"cookie": true, "http": true, "https": true, "value": true, "aws": true, "github": true, "master": true, "file": true,
	"vault": true, "encryption": true, "webhook": true, "bot": true, "identity": true, "shared": true, "kubernetes": true,
}

func isLabel(value string) bool {
	labels := 0
	for _, word := range nameWords(strings.NewReplacer("/", "_", ":", "_").Replace(value)) {
		if labelWords[word] {
			labels++
		} else if !isNeutral(word) {
			return false
		}
	}
	return labels > 0
}

// looksRandom tells a token from an identifier, by its digits among letters.
func looksRandom(value string) bool {
	entropy := entropyOf(value)
	switch {
	case uuidExpr().MatchString(value) || hexExpr().MatchString(value):
		return hasDigit(value) && entropy >= 2.5
	case versionExpr().MatchString(value) || kebabExpr().MatchString(value):
		return false
	}
	return entropy >= 2.8 && (digitsAmongLetters(value) || len(value) >= 16 && isMixedCase(value))
}

var (
	uuidExpr    = lazy(`^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	hexExpr     = lazy(`^[0-9a-fA-F]{16,}$`)
	versionExpr = lazy(`^(?:v|go)?\d+(?:\.\d+)+|^\d{4}-\d\d-\d\d`)
	kebabExpr   = lazy(`^[a-z]+(?:[-_.][a-z]+)+\d?$`)
)

func hasDigit(value string) bool { return strings.ContainsAny(value, "0123456789") }

// digitsAmongLetters says that letters follow digits or digits letters more often than in a name that
// ends with a number.
func digitsAmongLetters(value string) bool {
	changes := 0
	for i := 1; i < len(value); i++ {
		if isAlphanumeric(value[i]) && isAlphanumeric(value[i-1]) && isDigit(value[i]) != isDigit(value[i-1]) {
			changes++
		}
	}
	return changes >= 2
}

// isMixedCase says that the case changes more often than in a name: there, humps are some letters long.
func isMixedCase(value string) bool { return 3*caseChanges(value) > len(value) }

func caseChanges(value string) int {
	changes := 0
	for i := 1; i < len(value); i++ {
		if isUpper(value[i]) != isUpper(value[i-1]) {
			changes++
		}
	}
	return changes
}

// entropyOf is the Shannon entropy of a value in bits per byte.
func entropyOf(value string) float64 {
	var counts [256]int
	for i := range len(value) {
		counts[value[i]]++
	}
	entropy := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(value))
			entropy -= p * math.Log2(p)
		}
	}
	return entropy
}
