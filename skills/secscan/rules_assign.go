package main

import (
	"strings"
)

// assignRules judge what is given to names such as DB_PASSWORD or apiKey.
func assignRules() []rule {
	return []rule{
		{
			id: "hardcoded-password", severity: high,
			about:    "literal value of a password name",
			keywords: nameParts,
			generic:  true,
			find:     assignedTo(passwordName, isPassword),
		},
		{
			id: "default-password", severity: low,
			about:    "password or secret that is a well-known default, such as changeme",
			keywords: nameParts,
			generic:  true,
			find:     either(assignedTo(passwordName, isDefaultPassword), assignedTo(secretName, isDefaultPassword)),
		},
		{
			id: "hardcoded-secret", severity: high,
			about:    "literal value of a secret, API key or credential name",
			keywords: nameParts,
			generic:  true,
			find:     assignedTo(secretName, isSecret),
		},
		{
			id: "high-entropy-token", severity: medium,
			about:    "random looking value of a token or authorization name",
			keywords: nameParts,
			generic:  true,
			find:     assignedTo(tokenName, isToken),
		},
		{
			id: "high-entropy-key", severity: medium,
			about:    "random looking value of a name that ends with key, salt or cookie",
			keywords: nameParts,
			generic:  true,
			find:     assignedTo(keyName, isKeyMaterial),
		},
		{
			id: "literal-key", severity: high,
			about: "literal key in a call that signs or encrypts (jwt, hmac, AES, Fernet)",
			keywords: []string{
				"jwt.", "jose.", "jsonwebtoken.", "hmac", "createcipher", "createdecipher", "aes.new", "des.new",
				"rc4.new", "des3.new", "chacha20", "blowfish.new", "fernet(", "signedstring", "secretkeyspec",
				"cryptojs.",
			},
			generic: true,
			find:    secretIf(literalKeyExpr, isTyped),
		},
		{
			id: "secret-variable", severity: high,
			about:    "value of a secret variable in a list of name and value pairs",
			kinds:    kindYAML | kindJSON | kindTOML,
			keywords: []string{"value:", "value =", "value=", `value"`, "value'"},
			generic:  true,
			find:     namedPair,
		},
	}
}

// isDefaultPassword leaves "Password" alone: it is the label of a field.
func isDefaultPassword(value string) bool {
	return isWeakPassword(value) && !strings.HasPrefix(value, "Pass")
}

var (
	pairNameExpr  = lazy(`(?i)["']?\b(?:name|key)["']?\s*[:=]\s*["']?([\w.-]+)["']?`)
	pairValueExpr = lazy(`(?i)(?:^|[\s{,])["']?value["']?\s*[:=]\s*["']?([^\s"'$<{}\[\]&*!|>%][^"'{}]*?)["']?\s*[,}]*\s*$`)
)

// namedPair finds the value of {name: DB_PASSWORD, value: ...}, as containers get their environment. The
// name is on the same line or on the line before.
func namedPair(v view) []match {
	groups := pairValueExpr().FindStringSubmatchIndex(v.text)
	if groups == nil {
		return nil
	}
	name := pairNameExpr().FindStringSubmatch(v.text[:groups[2]])
	if name == nil {
		name = pairNameExpr().FindStringSubmatch(v.prev)
	}
	if name == nil || !accepts(classify(name[1]), v.text[groups[2]:groups[3]]) {
		return nil
	}
	return []match{matchOf(groups)}
}

func accepts(class nameClass, value string) bool {
	switch class {
	case passwordName:
		return isPassword(value) || isDefaultPassword(value)
	case secretName:
		return isSecret(value) || isDefaultPassword(value)
	case tokenName:
		return isToken(value)
	case keyName:
		return isKeyMaterial(value)
	}
	return false
}

// bytesOf is a literal, perhaps turned into bytes.
const bytesOf = `(?:\[\]byte\(|Buffer\.from\(|bytes\(|new TextEncoder\(\)\.encode\()?[bB]?` + literal

var literalKeyExpr = fold(
	`\b(?:jwt|jsonwebtoken|jose)\.(?:sign|verify|encode|decode)\(\s*[^,]*(?:\{[^}]*\})?\s*,\s*`+bytesOf,
	`\bSignedString\(\s*`+bytesOf,
	`\bhmac\.New\(\s*\w+\.\w+\s*,\s*`+bytesOf,
	`\bhmac\.(?:new|digest)\(\s*(?:key\s*=\s*)?`+bytesOf,
	`\bcreateHmac\(\s*`+other+comma+bytesOf,
	`\bcreate(?:C|Dec)ipher(?:iv)?\(\s*`+other+comma+bytesOf,
	`\b(?:aes|des|rc4|chacha20poly1305)\.New\w*\(\s*`+bytesOf,
	`\b(?:AES|DES3?|ARC4|Blowfish|ChaCha20)\.new\(\s*`+bytesOf,
	`\bFernet\(\s*`+bytesOf,
	`\bCryptoJS\.\w+(?:\.(?:en|de)crypt)?\(\s*[^,()]+,\s*`+bytesOf,
	`\bSecretKeySpec\(\s*`+literal,
)
