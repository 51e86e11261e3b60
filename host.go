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

// AnyHost in Allow.HTTP is all hosts, by name or address, on the ports 443 and 80.
const AnyHost = "*"

var errHost = errors.New("want HOST, HOST:PORT, *.HOST or *, in lower case")

// CheckHostPattern reports what Allow.HTTP cannot hold: all but HOST, HOST:PORT,
// *.HOST, *.HOST:PORT and AnyHost.
func CheckHostPattern(s string) error {
	if s == AnyHost {
		return nil
	}
	host, port := s, uint64(443)
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		host = s[:i]
		port, _ = strconv.ParseUint(s[i+1:], 10, 16)
	}
	if port == 0 || len(host) > 253 || !hostPattern.MatchString(host) && !ipv6Pattern.MatchString(host) {
		return errHost
	}
	return nil
}
