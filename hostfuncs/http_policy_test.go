package hostfuncs

import (
	"net/netip"
	"net/url"
	"testing"
)

func TestTargetMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, url string
		want         bool
	}{
		{"example.com", "https://example.com/x", true},
		{"example.com", "http://example.com", true},
		{"example.com", "http://example.com:443", true},
		{"example.com", "http://example.com:8080", false},
		{"example.com", "https://EXAMPLE.com.", true},
		{"Example.COM.", "https://example.com", true},
		{"example.com", "https://www.example.com", false},
		{"example.com", "https://notexample.com", false},
		{"example.com", "https://example.com.evil.org", false},
		{"example.com:8443", "https://example.com:8443", true},
		{"example.com:8443", "https://example.com", false},
		{"example.com:443", "https://example.com", true},
		{"example.com:443", "http://example.com", false},
		{"*.example.com", "https://a.example.com", true},
		{"*.example.com", "https://a.b.example.com", true},
		{"*.example.com", "https://example.com", false},
		{"*.example.com", "https://aexample.com", false},
		{"*.example.com:8443", "https://a.example.com:8443", true},
		{"*.example.com:8443", "https://a.example.com", false},
		{"*", "https://example.com", true},
		{"*", "http://a.b.example.com", true},
		{"*", "http://example.com:8080", false},
		{"*", "https://1.1.1.1", true},
		{"*", "http://[2001:4860::1]", true},
		{"*:443", "https://example.com", false},
		{"**", "https://example.com", false},
		{"*com", "https://example.com", false},
		{"*.", "https://example.com", false},
		{"*.*.com", "https://a.example.com", false},
		{"", "https://example.com", false},
		{":443", "https://example.com", false},
		{"example.com:", "https://example.com", false},
		{"example.com:0", "https://example.com", false},
		{"example.com:+443", "https://example.com", false},
		{"example.com:65979", "https://example.com", false}, // 443 in 16 bits
		{"xn--bcher-kva.example", "https://xn--bcher-kva.example", true},
		{"1.2.3.4", "https://1.2.3.4", true},
		{"1.2.3.4:81", "http://1.2.3.4:81", true},
		{"*.2.3.4", "https://1.2.3.4", false},
		{"1.2.3.4", "https://[::ffff:1.2.3.4]", false},
		{"[2001:4860::1]", "https://[2001:4860:0::1]", true},
		{"2001:4860::1", "https://[2001:4860::1]", true},
		{"[2001:4860::1]:81", "http://[2001:4860::1]:81", true},
		{"[2001:4860::1]:81", "http://[2001:4860::1]", false},
		{"[2001:4860::1]", "http://[2001:4860::1]:81", false},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		at, err := targetOf(u)
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
		}
		if got := at.matches(tt.pattern); got != tt.want {
			t.Errorf("%s matches %q: %v, want %v", tt.url, tt.pattern, got, tt.want)
		}
	}
}

// TestReaches holds every range against addresses at its ends and in it.
func TestReaches(t *testing.T) {
	for addr, open := range map[string]bool{
		"1.1.1.1": true, "8.8.8.8": true, "100.63.255.255": true, "100.128.0.0": true, "172.15.255.255": true, "172.32.0.0": true,
		"192.0.1.0": true, "198.17.255.255": true, "223.255.255.255": true, "2606:4700::1111": true, "2a00::1": true, "2001:4860::1": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.0": false, "10.255.255.255": false, "100.64.0.0": false, "100.100.100.200": false,
		"100.127.255.255": false, "127.0.0.1": false, "127.255.255.255": false, "169.254.0.1": false, "169.254.169.254": false,
		"168.63.129.16": false, "172.16.0.0": false, "172.31.255.255": false, "192.0.0.192": false, "192.0.2.1": false, "192.88.99.1": false,
		"192.168.1.1": false, "198.18.0.0": false, "198.19.255.255": false, "198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false,
		"239.255.255.255": false, "240.0.0.0": false, "255.255.255.255": false,
		"::": false, "::1": false, "::7f00:1": false, "::ffff:127.0.0.1": false, "::ffff:8.8.8.8": false, "64:ff9b::808:808": false,
		"64:ff9b::7f00:1": false, "64:ff9b:1::1": false, "100::1": false, "2001::1": false, "2001:0:7f00:1::": false, "2001:2::1": false,
		"2001:10::1": false, "2001:20::1": false, "2001:1ff:ffff::1": false, "2001:db8::1": false, "2002:7f00:1::": false, "2002:808:808::1": false,
		"3fff::1": false, "4000::1": false, "5f00::1": false, "fc00::1": false, "fd00:ec2::254": false, "fd12::1": false, "fe80::1": false,
		"fe80::1%lo": false, "fec0::1": false, "ff02::1": false,
	} {
		if err := NewHTTP(HTTPOptions{}).reaches(netip.MustParseAddr(addr)); (err == nil) != open {
			t.Errorf("%s: %v, want open: %v", addr, err, open)
		}
	}
}

// TestReachesWhatIsAllowed: a prefix allows the address itself, or the one it stands for.
func TestReachesWhatIsAllowed(t *testing.T) {
	for _, tt := range []struct {
		prefix, addr string
		want         bool
	}{
		{"127.0.0.0/8", "127.0.0.1", true},
		{"127.0.0.0/8", "10.0.0.1", false},
		{"127.0.0.0/8", "::1", false},
		{"10.0.0.0/8", "::ffff:10.0.0.1", true},
		{"10.0.0.0/8", "::ffff:127.0.0.1", false},
		{"10.0.0.0/8", "64:ff9b::a00:1", true},
		{"10.0.0.0/8", "64:ff9b::7f00:1", false},
		{"10.0.0.0/8", "64:ff9b:1::a00:1", false}, // where it would be is not known
		{"64:ff9b:1::/48", "64:ff9b:1::a00:1", true},
		{"64:ff9b::/96", "64:ff9b::808:808", true},
		{"10.0.0.0/8", "2002:a00:1::1", true},
		{"10.0.0.0/8", "2002:7f00:1::1", false},
		{"10.0.0.0/8", "2001::f5ff:fffe", true}, // 10.0.0.1, inverted
		{"10.0.0.0/8", "2001:0:a00:1::", false}, // its server's
		{"10.0.0.0/8", "::a00:1", false},
		{"fd00::/8", "fd00:ec2::254", true},
		{"fe80::/10", "fe80::1%lo", true},
		{"169.254.0.0/16", "169.254.169.254", true},
	} {
		h := NewHTTP(HTTPOptions{Private: []netip.Prefix{netip.MustParsePrefix(tt.prefix)}})
		if err := h.reaches(netip.MustParseAddr(tt.addr)); (err == nil) != tt.want {
			t.Errorf("with %s, %s: %v, want %v", tt.prefix, tt.addr, err, tt.want)
		}
	}
}

func TestControlRefusesWhatItCannotRead(t *testing.T) {
	h := NewHTTP(HTTPOptions{Private: loopback})
	for address, open := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "1.1.1.1:80": true, "localhost:80": false, "": false, "127.0.0.1": false} {
		if err := h.control("tcp", address, nil); (err == nil) != open {
			t.Errorf("control(%q) = %v, want open: %v", address, err, open)
		}
	}
}
