package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestRoad(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		env        map[string]string
		want       Road // TLS by text
		text       string
	}{
		{"nothing named", "", nil, Road{Addrs: []string{"127.0.0.1:6379"}}, "redis://127.0.0.1:6379/0"},
		{"port only", "", map[string]string{"REDIS_PORT": "7000"}, Road{Addrs: []string{"127.0.0.1:7000"}}, "redis://127.0.0.1:7000/0"},
		{"host", "", map[string]string{"REDIS_HOST": "localhost", "REDIS_DB": "2"}, Road{Addrs: []string{"localhost:6379"}, DB: 2}, "redis://localhost:6379/2"},
		{"host of IPv6", "", map[string]string{"REDIS_HOST": "::1"}, Road{Addrs: []string{"[::1]:6379"}}, "redis://[::1]:6379/0"},
		{"password off this machine", "", map[string]string{"REDIS_HOST": "cache", "REDIS_PASSWORD": "pw"}, Road{Addrs: []string{"cache:6379"}, Password: "pw"}, "redis://cache:6379/0"},
		{"URL", "redis.url = \"redis://u:p%40w@cache:7000/4\"", nil, Road{Addrs: []string{"cache:7000"}, DB: 4, Username: "u", Password: "p@w"}, "redis://cache:7000/4"},
		{"URL with database as a parameter", "redis.url = \"redis://[::1]?db=4\"", nil, Road{Addrs: []string{"[::1]:6379"}, DB: 4}, "redis://[::1]:6379/4"},
		{"URL with TLS", "redis.url = \"rediss://cache\"", nil, Road{Addrs: []string{"cache:6379"}}, "rediss://cache:6379/0"},
		{"socket", "redis.url = \"unix://u:pw@/run/redis.sock?db=1\"", nil, Road{Addrs: []string{"/run/redis.sock"}, DB: 1, Username: "u", Password: "pw"}, "unix:///run/redis.sock"},
		{"environment over URL", "redis.url = \"redis://u:pw@cache:7000/4\"", map[string]string{"REDIS_HOST": "other", "REDIS_PASSWORD": "new", "REDIS_DB": "5"},
			Road{Addrs: []string{"other:7000"}, DB: 5, Username: "u", Password: "new"}, "redis://other:7000/5"},
		{"environment over cluster", "redis.addrs = [\"a:1\", \"b:1\"]", map[string]string{"REDIS_HOST": "127.0.0.1"}, Road{Addrs: []string{"127.0.0.1:6379"}}, "redis://127.0.0.1:6379/0"},
		{"cluster", "redis.addrs = [\"a:1\", \"b:1\"]\nredis.tls = true", nil, Road{Addrs: []string{"a:1", "b:1"}}, "rediss cluster a:1,b:1"},
		{"sentinels", "redis.addrs = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\nredis.sentinel_master = \"m\"\nredis.db = 3", nil,
			Road{Addrs: []string{"127.0.0.1:1", "127.0.0.1:2"}, Master: "m", DB: 3}, "redis master m of sentinels 127.0.0.1:1,127.0.0.1:2"},
		{"insecure", "redis.host = \"cache\"\nredis.insecure = true", nil, Road{Addrs: []string{"cache:6379"}}, "redis://cache:6379/0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := load(t, tt.file, tt.env)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Road()
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != tt.text {
				t.Errorf("road %s, want %s", got, tt.text)
			}
			if got.TLS = nil; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Road = %#v (password %q), want %#v", got, got.Password.Reveal(), tt.want)
			}
			named := tt.file != "" || tt.env["REDIS_HOST"] != ""
			if c.HasRoad() != named {
				t.Errorf("HasRoad = %v, want %v", c.HasRoad(), named)
			}
		})
	}
}

func TestUseURL(t *testing.T) {
	t.Parallel()
	c, err := load(t, "redis.addrs = [\"a:1\", \"b:1\"]\nredis.username = \"u\"", map[string]string{"REDIS_PASSWORD": "pw"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.UseURL("redis://cache/3"); err != nil {
		t.Fatal(err)
	}
	got, err := c.Road()
	want := Road{Addrs: []string{"cache:6379"}, DB: 3, Username: "u", Password: "pw"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Road = %#v, %v, want %#v", got, err, want)
	}
	if err := c.UseURL("unix:///run/r.sock"); err != nil || !c.HasRoad() || c.Redis.URL != "unix:///run/r.sock" {
		t.Errorf("UseURL(socket) = %v, redis = %+v", err, c.Redis)
	}
}

// No address that is refused is quoted: it may hold a password.
func TestURLRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"hunter2", "http://:hunter2@h", "redis://:hunter2@h:port", "redis://:hunter2@h/db", "redis://:hunter2@h/70000",
		"redis://:hun#ter2@h", "redis://:hun/ter2@h", "redis://:hun?ter2@h", "redis://:hunter2@h?timeout=3", "redis://:%zz@h", "unix://hunter2",
		"unix://h/hunter2", "redis:hunter2", "redis://h:0x1/", "redis://h /", "redis://\x7f"} {
		err := Default().UseURL(s)
		if err == nil || strings.Contains(err.Error(), "hun") || strings.Contains(err.Error(), "ter2") {
			t.Errorf("UseURL(%q) = %v, want an error that does not quote it", s, err)
		}
	}
}

func TestRoadRefused(t *testing.T) {
	t.Parallel()
	open := "neither TLS nor a password protects it; use rediss://, REDIS_PASSWORD, or redis.insecure (--insecure) on a network you trust\n"
	for _, tt := range []struct {
		name   string
		mutate func(*Redis)
		want   string
	}{
		{"host", func(r *Redis) { r.Host = "cache" }, "redis cache:6379: " + open},
		{"address", func(r *Redis) { r.Host = "10.0.0.5" }, "redis 10.0.0.5:6379: " + open},
		{"everyone", func(r *Redis) { r.Host = "0.0.0.0" }, "redis 0.0.0.0:6379: " + open},
		{"one of several", func(r *Redis) { r.Addrs = []string{"127.0.0.1:1", "cache:1"} }, "redis cache:1: " + open},
		{"user without password", func(r *Redis) { r.Host, r.Username = "cache", "u" }, "redis cache:6379: " + open},
		{"bad URL", func(r *Redis) { r.URL = "redis://h:x" }, "redis.url: " + errURL.Error() + "\n"},
		{"no authorities", func(r *Redis) { r.CA = "/nope/ca.pem" }, "redis.ca: /nope/ca.pem: no such file or directory\n"},
		{"no certificate", func(r *Redis) { r.Cert, r.Key = "/nope/c.pem", "/nope/k.pem" }, "redis.cert: open /nope/c.pem: no such file or directory\n"},
		{"authorities of another kind", func(r *Redis) { r.CA = sampleFile }, "redis.ca: ../../hive.toml: no certificate in it\n"},
	} {
		c := Default()
		tt.mutate(&c.Redis)
		if _, err := c.Road(); lines(err) != tt.want {
			t.Errorf("%s: Road = %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestRoadCertificates(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := Default()
	c.Redis.Host, c.Redis.CA = "cache", filepath.Join(dir, "cert.pem")
	c.Redis.Cert, c.Redis.Key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	road, err := c.Road()
	if err != nil {
		t.Fatal(err)
	}
	if road.TLS == nil || road.TLS.RootCAs == nil || len(road.TLS.Certificates) != 1 {
		t.Errorf("TLS = %+v, want the authority and the pair", road.TLS)
	}
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{"redis://u:p@h:1/2", "rediss://[::1]", "unix:///a?db=3", "redis://h?db=1&db=2", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := Default()
		if c.UseURL(s) != nil || c.Validate() != nil {
			return
		}
		first := c.Redis
		if err := c.Redis.absorb(); err != nil || !reflect.DeepEqual(c.Redis, first) {
			t.Errorf("%q: %+v, taken apart again: %+v, %v", s, first, c.Redis, err)
		}
		c.Redis.Insecure = true
		if road, err := c.Road(); s != "" && (err != nil || len(road.Addrs) != 1 || road.Addrs[0] == "") {
			t.Errorf("%q: Road = %v, %v", s, road, err)
		}
	})
}
