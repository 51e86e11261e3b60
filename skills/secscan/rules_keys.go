package main

import (
	"encoding/base64"
	"strings"
)

func keyRules() []rule {
	return []rule{
		{
			id: "private-key", severity: critical,
			about:    "PEM, OpenSSH, SSH2 or PGP private key",
			keywords: []string{"private key"},
			find:     unless(`(?i)\b(?:contains|hasprefix|startswith|includes|indexof|grep|match|trimprefix)\b`, keyBlock),
		},
		{
			id: "putty-private-key", severity: critical,
			about:    "PuTTY private key file",
			keywords: []string{"putty-user-key-file-"},
			find:     pattern(`PuTTY-User-Key-File-\d`),
		},
		{
			id: "age-private-key", severity: critical,
			about:    "age private key",
			keywords: []string{"age-secret-key-1"},
			find:     token(`(?i)\b(AGE-SECRET-KEY-1[0-9A-Z]{40,})`),
		},
		{
			id: "encoded-private-key", severity: critical,
			about:    "PEM private key in base64, as in Kubernetes secrets",
			keywords: []string{"ls0tls1crudjti", "ls0tlqkjru"},
			find:     secretIf(`\b(LS0tL[A-Za-z0-9+/]{24,}={0,2})`, decodesToPrivateKey),
		},
		{
			id: "jwk-private-key", severity: critical,
			about:    "private exponent of a JSON Web Key",
			keywords: []string{`"d"`},
			find:     pattern(`"d"\s*:\s*"([A-Za-z0-9_-]{40,})"`),
		},
	}
}

var keyBlockExpr = lazy(`-{4,5} ?BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)? ?-{4,5}`)

// keyBlock reports the first line of a key. The key may follow on the same line, in JSON or .env, longer
// than any place; it is masked to its end.
func keyBlock(v view) []match {
	var found []match
	for _, at := range keyBlockExpr().FindAllStringIndex(v.text, maxPerPlace) {
		m := match{span: span{at[0], at[1]}}
		if length := keyLengthOf(v.rest(at[1])); length > 0 {
			m.secrets = []span{{at[1], at[1] + length}}
		}
		found = append(found, m)
	}
	return found
}

// keyLengthOf tells how much of the line after the first marker is key.
func keyLengthOf(rest string) int {
	body, marker, _ := strings.Cut(rest, "-----END")
	if len(strings.Trim(body, "\\nr\"'+`,;() \t")) == 0 {
		return 0
	}
	end, _, _ := strings.Cut(marker, "KEY-----")
	return min(len(rest), len(body)+len("-----END")+len(end)+len("KEY-----"))
}

func decodesToPrivateKey(encoded string) bool {
	encoded = strings.TrimRight(encoded, "=")
	decoded, _ := base64.RawStdEncoding.DecodeString(encoded[:len(encoded)/4*4])
	return strings.Contains(string(decoded), "PRIVATE KEY")
}
