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

var errHost = errors.New("want HOST, HOST:PORT or *.HOST, in lower case")

// CheckHostPattern reports what Allow.HTTP cannot hold: all but HOST, HOST:PORT,
// *.HOST and *.HOST:PORT.
func CheckHostPattern(s string) error {
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
