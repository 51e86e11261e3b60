package hive

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

var (
	hostPattern = regexp.MustCompile(`^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
	ipv6Pattern = regexp.MustCompile(`^\[[0-9a-f:.]+\]$`)
)

// providedName is what secrets and folders of a spore can be called.
var providedName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

var errProvided = errors.New("want a name of letters, digits, '_', '.' and '-', beginning with a letter or digit")

// CheckProvided reports what secrets and folders of a spore cannot be called.
func CheckProvided(name string) error {
	if !providedName.MatchString(name) {
		return errProvided
	}
	return nil
}

// AnyHost in Allow.HTTP is all hosts, by name or address, on the ports 443 and 80.
const AnyHost = "*"

var errHost = errors.New("want HOST, HOST:PORT, *.HOST or *, in lower case")

// CheckHostPattern reports what Allow.HTTP cannot hold: all but HOST, HOST:PORT,
// *.HOST, *.HOST:PORT and AnyHost.
func CheckHostPattern(s string) error {
	if s == AnyHost {
		return nil
	}
	host, text, given := SplitHostPattern(s)
	port, err := strconv.ParseUint(text, 10, 16)
	if given && (err != nil || port == 0) || len(host) > 253 || !hostPattern.MatchString(host) && !ipv6Pattern.MatchString(host) {
		return errHost
	}
	return nil
}

// SplitHostPattern returns a pattern's host, and its port if one is given.
func SplitHostPattern(s string) (host, port string, given bool) {
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
