package hostfuncs

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/hive-spore/hive"
)

// refusal is why a policy does not let a request go where it wants to.
type refusal string

func (r refusal) Error() string { return string(r) }

// target is where a request goes: what lists of hosts are held against.
type target struct {
	host string     // in lower case, without a dot at its end; of an address its usual form
	addr netip.Addr // if the host is one, else not valid
	port uint16
}

var errNoHost = errors.New("no host name in ASCII, nor an address")

// targetOf reads where a URL leads, and writes its host the way it was understood:
// what is checked, what is asked for and what the server is told are one text.
func targetOf(u *url.URL) (target, error) {
	var t target
	switch u.Scheme {
	case "http":
		t.port = 80
	case "https":
		t.port = 443
	case "":
		return t, errNoHost
	default:
		return t, refusal("only http and https are allowed")
	}
	if u.User != nil {
		return t, refusal("a URL must not hold a user's name or password")
	}
	usual, ok := t.port, false
	if t.host, t.addr, ok = cleanHost(u.Hostname()); !ok || u.Opaque != "" {
		return t, errNoHost
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return t, errNoHost
		}
		t.port = uint16(n)
	}
	switch u.Host = t.host; {
	case t.port != usual:
		u.Host = t.String()
	case t.addr.Is6():
		u.Host = "[" + t.host + "]"
	}
	return t, nil
}

// cleanHost returns the form in which hosts are compared. Names beyond ASCII are
// refused: two of them can look the same, and what they become is the resolver's
// choice. So are names that resolvers take for addresses, such as 127.1 or
// 0x7f000001: nobody could have meant to allow them.
func cleanHost(s string) (host string, addr netip.Addr, ok bool) {
	if strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) {
		return "", netip.Addr{}, false
	}
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.String(), addr, addr.Zone() == ""
	}
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", netip.Addr{}, false
		}
	}
	last := labels[len(labels)-1]
	_, err := strconv.ParseUint(last, 0, 64)
	numeric := err == nil || errors.Is(err, strconv.ErrRange) || strings.Trim(last, "0123456789") == ""
	return s, netip.Addr{}, len(s) <= 253 && !numeric
}

// matches reports whether a pattern names the target: HOST, HOST:PORT, *.HOST or
// *.HOST:PORT. Without a port it means 443 and 80. A star stands for one label or
// more, never for a part of an address; alone it is any host.
func (t target) matches(pattern string) bool {
	host, port, given := pattern, "", false
	if _, err := netip.ParseAddr(pattern); err != nil { // else colons are the address's own
		host, port, given = hive.SplitHostPattern(pattern)
	}
	if given {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || uint16(n) != t.port {
			return false
		}
	}
	if !given && t.port != 443 && t.port != 80 {
		return false
	}
	if pattern == hive.AnyHost {
		return true
	}
	host, below := strings.CutPrefix(host, "*.")
	if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	host, _, ok := cleanHost(host)
	if below {
		return ok && !t.addr.IsValid() && strings.HasSuffix(t.host, "."+host)
	}
	return ok && t.host == host
}

// permits returns why a request may not go to where the URL leads, nil if it may.
// The address that a name leads to is looked at when it is known: see control.
func (h *HTTP) permits(allow []string, u *url.URL) error {
	t, err := targetOf(u)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(allow, t.matches) {
		return refusal(t.String() + ": the skill's manifest does not allow it")
	}
	if len(h.options.Hosts) > 0 && !slices.ContainsFunc(h.options.Hosts, t.matches) {
		return refusal(t.String() + ": this spore does not allow it")
	}
	if t.addr.IsValid() {
		return h.reaches(t.addr)
	}
	return nil
}

func (t target) String() string { return net.JoinHostPort(t.host, strconv.Itoa(int(t.port))) }

// control is a net.Dialer's: it sees every address right before it is connected
// to, after all names have been resolved, so that no name can lead elsewhere
// between a check and its use.
func (h *HTTP) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return refusal("an address that cannot be read")
	}
	return h.reaches(at.Addr())
}

// reaches returns why an address may not be connected to, nil if it may.
func (h *HTTP) reaches(addr netip.Addr) error {
	addr = addr.WithZone("")
	what := closedTo(addr)
	if what == "" {
		return nil
	}
	inner := embedded(addr)
	for _, p := range h.options.Private {
		if p.Contains(addr) || p.Contains(inner) {
			return nil
		}
	}
	return refusal("the host is at " + what + " address, which this spore does not allow")
}

// ranges are what lies outside of the open internet, from the registries of special
// addresses of IANA (RFC 6890), and what stands for addresses of IPv4 that a check
// would have to take apart. The first that holds an address names it.
var ranges = []struct {
	prefix netip.Prefix
	what   string
}{
	// Clouds tell their machines secrets there. The last one is Azure's, amid open addresses.
	{netip.MustParsePrefix("169.254.169.254/32"), "a cloud's metadata"},
	{netip.MustParsePrefix("fd00:ec2::254/128"), "a cloud's metadata"},
	{netip.MustParsePrefix("168.63.129.16/32"), "a cloud's metadata"},

	{netip.MustParsePrefix("0.0.0.0/8"), "an unspecified"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "a carrier's"},
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "a private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "a reserved"},
	{netip.MustParsePrefix("192.0.2.0/24"), "a documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a 6to4 relay's"},
	{netip.MustParsePrefix("192.168.0.0/16"), "a private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "a benchmark"},
	{netip.MustParsePrefix("198.51.100.0/24"), "a documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "a documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved"},

	{netip.MustParsePrefix("::/128"), "an unspecified"},
	{netip.MustParsePrefix("::1/128"), "a loopback"},
	{mapped, "an IPv4-mapped"},
	{nat64, "a NAT64"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "a NAT64"},
	{teredo, "a Teredo"},
	{netip.MustParsePrefix("2001::/23"), "a reserved"},
	{netip.MustParsePrefix("2001:db8::/32"), "a documentation"},
	{sixToFour, "a 6to4"},
	{netip.MustParsePrefix("3fff::/20"), "a documentation"},
	{netip.MustParsePrefix("fc00::/7"), "a private"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local"},
	{netip.MustParsePrefix("ff00::/8"), "a multicast"},
}

var (
	mapped    = netip.MustParsePrefix("::ffff:0:0/96")
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	teredo    = netip.MustParsePrefix("2001::/32")
	sixToFour = netip.MustParsePrefix("2002::/16")
	open6     = netip.MustParsePrefix("2000::/3") // what of IPv6 is given out to the open internet
)

// closedTo says which kind of address is not of the open internet, "" if it is.
func closedTo(addr netip.Addr) string {
	for _, r := range ranges {
		if contains(r.prefix, addr) {
			return r.what
		}
	}
	if addr.Is6() && !open6.Contains(addr) {
		return "a reserved"
	}
	return ""
}

// contains is p.Contains, which never holds for mapped addresses.
func contains(p netip.Prefix, addr netip.Addr) bool {
	if addr.Is4In6() {
		return p == mapped
	}
	return p.Contains(addr)
}

// embedded returns the IPv4 address that one of IPv6 stands for, and no address
// at all if there is none. In 64:ff9b:1::/48 its place is the network's choice:
// that range can only be allowed as such.
func embedded(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return netip.Addr{}
	}
	b := addr.As16()
	switch {
	case addr.Is4In6(), nat64.Contains(addr): // RFC 6052, section 2.1
		return netip.AddrFrom4([4]byte(b[12:]))
	case sixToFour.Contains(addr): // RFC 3056, section 2
		return netip.AddrFrom4([4]byte(b[2:6]))
	case teredo.Contains(addr): // RFC 4380, section 4: the client's, inverted
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})
	}
	return netip.Addr{}
}
