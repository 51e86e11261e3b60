package main

import (
	"slices"
	"strings"
)

// nameClass says what a name promises about its value.
type nameClass int

const (
	plainName    nameClass = iota
	passwordName           // the value is a password, even if it looks like a word
	secretName             // the value is a secret, if it does not look like a label
	tokenName              // the value is a secret, if it looks random
	keyName                // the value is a secret, if it cannot be anything else
)

// Words that end a name of each class. They are compared with the end of the name in lower case and
// without separators, so that "apikey" covers API_KEY, apiKey and x-api-key.
var (
	passwordEndings = []string{"password", "passwords", "passwd", "passphrase", "passcode", "passwort", "pwd", "pswd"}
	secretEndings   = []string{
		"secret", "secrets", "apikey", "apikeys", "accesskey", "secretkey", "secretkeybase", "authkey", "privatekey", "encryptionkey",
		"cryptkey", "cipherkey", "aeskey", "signingkey", "signkey", "hmackey", "masterkey", "sessionkey", "sharedkey",
		"accountkey", "storagekey", "servicekey", "clientkey", "licensekey", "sshkey", "jwtkey", "appkey",
		"consumerkey", "subscriptionkey", "integrationkey", "webhookkey", "writekey", "adminkey", "rootkey",
		"credential", "credentials", "creds", "keysecret", "apitoken", "accesstoken", "authtoken", "refreshtoken",
		"bearertoken", "bottoken", "secrettoken", "usertoken", "privatetoken", "deploytoken",
	}
)

// "pass" alone is too common an ending (bypass, compass), so it counts as a word of its own or in the
// names that people really write in one.
var shortPasswordNames = map[string]bool{
	"pass": true, "pw": true, "dbpass": true, "dbpw": true, "userpass": true, "rootpass": true, "rootpw": true,
	"adminpass": true, "smtppass": true, "mailpass": true, "mysqlpass": true, "ftppass": true, "sshpass": true,
	"mypass": true, "adminpw": true, "userpw": true, "pgpass": true, "sqlpass": true, "redispass": true,
	"keypass": true, "storepass": true, "httppass": true,
}

// Last words of the names that promise less.
var (
	tokenWords = map[string]bool{
		"token": true, "tokens": true, "bearer": true, "auth": true, "oauth": true, "authorization": true, "jwt": true,
		"pat": true,
	}
	keyWords = map[string]bool{"key": true, "keys": true, "salt": true, "pepper": true, "cookie": true, "sessionid": true}
)

// publicWords say that a key is not secret, or not a key at all.
var publicWords = map[string]bool{
	"public": true, "pub": true, "publishable": true, "primary": true, "foreign": true, "partition": true, "sort": true,
	"cache": true, "index": true, "object": true, "site": true, "hot": true, "arrow": true, "map": true, "row": true,
}

// neutralWords may follow a secret word without changing what the value is: PASSWORD_PROD, apiKey2.
var neutralWords = map[string]bool{
	"prod": true, "production": true, "dev": true, "development": true, "staging": true, "stage": true, "test": true,
	"live": true, "local": true, "sandbox": true, "qa": true, "uat": true, "prd": true, "stg": true, "default": true,
	"value": true, "val": true, "str": true, "string": true, "bytes": true, "raw": true, "plain": true,
	"b64": true, "base64": true, "hex": true, "old": true, "new": true, "current": true, "previous": true,
	"main": true, "primary": true, "secondary": true, "backup": true, "override": true, "fallback": true,
	"tmp": true, "temp": true, "literal": true, "const": true, "a": true, "b": true, "list": true,
}

// classify tells the class of a name from its last words.
func classify(name string) nameClass {
	words := nameWords(name)
	for len(words) > 1 && isNeutral(words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return plainName
	}
	last, joined := words[len(words)-1], strings.Join(words, "")
	switch {
	case shortPasswordNames[last] || hasEnding(joined, passwordEndings):
		return passwordName
	case hasEnding(joined, secretEndings):
		return secretName
	case tokenWords[last] || strings.HasSuffix(last, "token"):
		return tokenName
	case (keyWords[last] || strings.HasSuffix(last, "key")) && !anyIn(words, publicWords):
		return keyName
	}
	return plainName
}

func anyIn(words []string, set map[string]bool) bool {
	return slices.ContainsFunc(words, func(word string) bool { return set[word] })
}

func isNeutral(word string) bool {
	return neutralWords[word] || strings.Trim(word, "0123456789") == ""
}

func hasEnding(name string, endings []string) bool {
	for _, ending := range endings {
		if strings.HasSuffix(name, ending) {
			return true
		}
	}
	return false
}

// nameWords splits a name at separators, at a change to upper case and before digits, in lower case.
func nameWords(name string) []string {
	var words []string
	start := 0
	for i := 1; i <= len(name); i++ {
		if i == len(name) || isWordBorder(name, i) {
			if word := strings.Trim(name[start:i], "_-.$"); word != "" {
				words = append(words, strings.ToLower(word))
			}
			start = i
		}
	}
	return words
}

func isWordBorder(name string, i int) bool {
	before, at := name[i-1], name[i]
	switch {
	case !isAlphanumeric(at):
		return true
	case isUpper(at):
		return !isUpper(before) || i+1 < len(name) && isLower(name[i+1])
	case isDigit(at):
		return !isDigit(before)
	}
	return !isAlphanumeric(before)
}

func isUpper(b byte) bool { return 'A' <= b && b <= 'Z' }
func isLower(b byte) bool { return 'a' <= b && b <= 'z' }
func isDigit(b byte) bool { return '0' <= b && b <= '9' }
