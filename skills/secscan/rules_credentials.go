package main

import (
	"encoding/base64"
	"strings"
)

// credentialRules cover credentials on their way: in headers, in URLs and in calls.
func credentialRules() []rule {
	return append(commandRules(),
		rule{
			id: "jwt", severity: high,
			about:    "JSON Web Token",
			keywords: []string{"eyj"},
			find:     token(`\b(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,3})`),
		},
		rule{
			id: "url-password", severity: high,
			about:    "password in a URL",
			keywords: []string{"://"},
			find:     having(patternIf(urlPasswordExpr, isURLPassword), "@"),
		},
		rule{
			id: "basic-auth-header", severity: high,
			about:    "Basic authorization with a literal credential",
			keywords: []string{"basic"},
			find:     patternIf(`(?i)\bbasic[ :]+["']?([A-Za-z0-9+/_-]{6,}={0,2})`, isBasicCredential),
		},
		rule{
			id: "bearer-token", severity: high,
			about:    "Bearer or other authorization header with a literal token",
			keywords: []string{"bearer", "authorization", "api-key", "apikey", "-token"},
			find:     secretIf(headerExpr, isHeaderToken),
		},
		rule{
			id: "basic-auth-call", severity: high,
			about: "basic authentication or a login with a literal password",
			keywords: []string{
				"basicauth", "plainauth", "md5auth", "digestauth",
				"auth=", "auth =", "auth:", "login(", "usernamepassword", "networkcredential", "ftp(", "ftp_tls(",
				"mysql", "psycopg2",
			},
			find: secretIf(loginExpr, isTyped),
		},
		rule{
			id: "basic-auth-encoded", severity: high,
			about:    "user and password that are encoded for basic authentication",
			keywords: []string{"btoa(", "b64encode(", "encodetostring(", "buffer.from("},
			find: secretIf(`\b(?:btoa|b64encode|EncodeToString|Buffer\.from)\(\s*(?:\[\]byte\()?b?`+
				quote+"[\\w.@-]+:([^\"'`$]{3,})"+quote, isTyped),
		},
	)
}

const (
	quote   = "[\"'`]"
	literal = quote + "([^\"'`$]{3,})" + quote // captured: the secret
	other   = quote + "[^\"'`]*" + quote       // an argument that is not the secret
	comma   = `\s*,\s*`
)

var urlPasswordExpr = `\b[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s:/?#@"'` + "`" + `<>{}$%]*` +
	`:([^\s/?#@"'` + "`" + `<>]+)@[\w.\[*$<{%(-]`

var headerExpr = fold(
	`\bbearer\s+["']?([A-Za-z0-9_.~+/-]{8,}=*)`,
	`authorization["']?\s*[:=,]\s*["'`+"`"+`]?(?:token|apikey|api-key|key|bot|digest|sso-key|splunk)\s+`+
		`(?:token=)?["']?([\w.~+/=-]{8,})`,
	`["'\s](?:x-api-key|api-key|apikey|x-[a-z-]*token|private-token|job-token):\s*([\w.~+/=-]{8,})`,
)

var loginExpr = fold(
	`\b(?:\w*BasicAuth\w*|PlainAuth|CRAMMD5Auth|HTTPDigestAuth|UsernamePassword\w*|NetworkCredential|login)\s*\(`+
		`\s*(?:""\s*,\s*)?`+other+comma+literal,
	`\b\w*auth\s*[=:]\s*[\[(]\s*`+other+comma+literal,
	`\bFTP(?:_TLS)?\([^,]+,\s*`+other+comma+literal,
	`\b(?:pymysql|MySQLdb|mysqli(?:_connect)?|mysql_connect|psycopg2)(?:\.connect)?\(\s*`+other+comma+other+comma+literal,
)

// isHeaderToken rejects words: "Bearer authentication" is prose.
func isHeaderToken(value string) bool {
	return !isPlaceholder(value) && !isLabel(value) && (hasDigit(value) || caseChanges(value) >= 4)
}

// isTyped says that somebody typed a password, and not the place of one.
func isTyped(value string) bool {
	return len(value) < 4 || !isPlaceholder(value) && !isReference(value)
}

var exampleUsers = map[string]bool{
	"": true, "user": true, "username": true, "u": true, "login": true, "foo": true, "name": true, "me": true,
}

var examplePasswords = map[string]bool{
	"pass": true, "password": true, "passwd": true, "pwd": true, "pw": true, "p": true, "secret": true, "bar": true,
	"port": true, "token": true,
}

// isURLPassword rejects user:pass and its like, which documentation is full of.
func isURLPassword(v view, groups []int) bool {
	_, user, _ := strings.Cut(v.text[groups[0]:groups[2]-1], "://")
	password := v.text[groups[2]:groups[3]]
	known := examplePasswords[strings.ToLower(password)]
	if known && (exampleUsers[strings.ToLower(user)] || password == strings.ToUpper(password)) {
		return false
	}
	return !urlPlaceholderExpr().MatchString(password)
}

var urlPlaceholderExpr = lazy(`(?i)^[${<%*\[(\\]|\$\{|\{\{|^x+$|\*\*|\.\.\.|^your|^redacted$`)

// isBasicCredential decodes the value, since "basic" is a word too.
func isBasicCredential(v view, groups []int) bool {
	value := strings.TrimRight(v.text[groups[2]:groups[3]], "=")
	if isUserAndPassword(base64.RawStdEncoding, value) || isUserAndPassword(base64.RawURLEncoding, value) {
		return true
	}
	named := strings.Contains(strings.ToLower(v.text[:groups[0]]), "authorization")
	return named && len(value) >= 8 && hasDigit(value) && !isPlaceholder(value)
}

func isUserAndPassword(encoding *base64.Encoding, value string) bool {
	decoded, err := encoding.DecodeString(value)
	_, password, found := strings.Cut(string(decoded), ":")
	return err == nil && found && password != "" && isPrintableASCII(string(decoded))
}

func isPrintableASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}
