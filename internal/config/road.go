package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"
)

const (
	defaultPort = 6379
	maxPEM      = 4 << 20 // bytes of a file of certificates
)

// Road is what to dial. Several addresses mean a Redis Cluster, or with Master
// the sentinels that know it.
type Road struct {
	Addrs    []string // host:port, or the path of one unix socket
	Master   string
	DB       int
	Username string
	Password Secret
	// SentinelUsername and SentinelPassword are for the sentinels themselves.
	SentinelUsername string
	SentinelPassword Secret
	// PasswordFile and SentinelPasswordFile are where these are from, and newer ones may
	// appear; empty: they stay what they are.
	PasswordFile         string
	SentinelPasswordFile string
	TLS                  *tls.Config // nil: plain text
}

// HasRoad reports whether any source named the road. If none did, a program
// that brings its own (nexus run, nexus dev) uses that.
func (c *Config) HasRoad() bool {
	return c.Redis.URL != "" || c.Redis.Host != "" || len(c.Redis.Addrs) > 0
}

// UseURL makes s the road, as --redis does. It wins over every other source,
// but for what it does not name: user, password and database.
func (c *Config) UseURL(s string) error {
	c.Redis.forget()
	c.Redis.URL = s
	return c.Redis.absorb()
}

// forget makes room for an address from a later source.
func (r *Redis) forget() { r.URL, r.Host, r.Addrs, r.SentinelMaster = "", "", nil, "" }

func (r *Redis) cluster() bool { return len(r.Addrs) > 1 && r.SentinelMaster == "" }

// errURL quotes nothing: what it refuses may hold a password.
var errURL = errors.New("want redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss:// (TLS) or unix:///PATH[?db=DB]; escape what is special in a password by %")

// absorb takes URL apart: a redis:// one into host, port and so on, a unix://
// one into a URL that holds nothing but the path.
func (r *Redis) absorb() error {
	if r.URL == "" {
		return nil
	}
	if r.Host != "" || len(r.Addrs) > 0 {
		return errors.New("redis.host or redis.addrs names a road too; keep one of them")
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Opaque != "" || strings.Contains(r.URL, "#") {
		return errURL
	}
	next := *r
	if err := next.take(u); err != nil {
		return err
	}
	if user := u.User; user != nil {
		if name := user.Username(); name != "" {
			next.Username = name
		}
		if password, given := user.Password(); given {
			next.Password, next.passwordFrom = Secret(password), ""
		}
	}
	*r = next
	return nil
}

func (r *Redis) take(u *url.URL) error {
	query := u.Query()
	db := query.Get("db")
	query.Del("db")
	r.URL = ""
	switch u.Scheme {
	case "rediss":
		r.TLS = true
		fallthrough
	case "redis":
		r.Host, r.Port = u.Hostname(), defaultPort
		if r.Host == "" {
			r.Host = DefaultRoad
		}
		if named := strings.Trim(u.Path, "/"); named != "" {
			db = named
		}
	case "unix":
		if u.Host != "" || !path.IsAbs(u.Path) {
			return errURL
		}
		r.URL = (&url.URL{Scheme: "unix", Path: u.Path}).String()
	default:
		return errURL
	}
	if len(query) > 0 {
		return errURL
	}
	return errors.Join(number(&r.Port, u.Port()), number(&r.DB, db))
}

// number takes text as a number, if there is any.
func number(p *int, text string) error {
	if text == "" {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return errURL
	}
	*p = int(n)
	return nil
}

// Road returns what to dial, 127.0.0.1 if no source named anything. It reads
// the certificates. A road in plain text and without a password that leads off
// this machine is refused, unless redis.insecure allows it.
func (c *Config) Road() (Road, error) {
	r := c.Redis
	if err := r.absorb(); err != nil {
		return Road{}, fmt.Errorf("redis.url: %w", err)
	}
	road := Road{Addrs: r.Addrs, Master: r.SentinelMaster, DB: r.DB, Username: r.Username, Password: r.Password, PasswordFile: r.passwordFrom}
	if r.SentinelMaster != "" {
		road.SentinelUsername, road.SentinelPassword, road.SentinelPasswordFile = r.SentinelUsername, r.SentinelPassword, r.sentinelFrom
	}
	switch {
	case r.URL != "":
		u, err := url.Parse(r.URL)
		if err != nil {
			return Road{}, errURL
		}
		road.Addrs = []string{u.Path}
	case len(r.Addrs) == 0 && r.Host == "":
		road.Addrs = []string{net.JoinHostPort(DefaultRoad, strconv.Itoa(r.Port))}
	case len(r.Addrs) == 0:
		road.Addrs = []string{net.JoinHostPort(r.Host, strconv.Itoa(r.Port))}
	}
	var err error
	if road.TLS, err = r.tls(); err != nil {
		return Road{}, err
	}
	if addr := road.exposed(); addr != "" && !r.Insecure {
		return Road{}, fmt.Errorf("redis %s: neither TLS nor a password protects it; use rediss://, REDIS_PASSWORD, or redis.insecure (--insecure) on a network you trust", addr)
	}
	return road, nil
}

// exposed returns an address off this machine that anyone could use, or "".
func (r *Road) exposed() string {
	if r.TLS != nil || r.Password != "" {
		return ""
	}
	for _, addr := range r.Addrs {
		host, _, err := net.SplitHostPort(addr)
		if ip := net.ParseIP(host); err == nil && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return addr
		}
	}
	return ""
}

// String names the road for people, without user or password.
func (r Road) String() string {
	all := strings.Join(r.Addrs, ",")
	scheme := "redis"
	if r.TLS != nil {
		scheme = "rediss"
	}
	switch {
	case r.Master != "":
		return fmt.Sprintf("%s master %s of sentinels %s", scheme, r.Master, all)
	case len(r.Addrs) > 1:
		return scheme + " cluster " + all
	case path.IsAbs(all):
		return "unix://" + all
	}
	return scheme + "://" + all + "/" + strconv.Itoa(r.DB)
}

// tls returns how to encrypt, or nil for plain text.
func (r *Redis) tls() (*tls.Config, error) {
	if !r.TLS && r.CA == "" && r.Cert == "" {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.CA != "" {
		pem, err := readFile(r.CA, maxPEM)
		if err != nil {
			return nil, fmt.Errorf("redis.ca: %s: %w", r.CA, err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("redis.ca: %s: no certificate in it", r.CA)
		}
	}
	if r.Cert != "" {
		pair, err := tls.LoadX509KeyPair(r.Cert, r.Key)
		if err != nil {
			return nil, fmt.Errorf("redis.cert: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}
