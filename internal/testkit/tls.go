package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hive-spore/hive/broker"
)

// StartTLS starts a server that speaks only TLS and wants a password, until the
// test ends. Its certificate is signed by an authority that only the options know.
func StartTLS(t testing.TB, password string, args ...string) broker.Options {
	t.Helper()
	o, _ := startTLS(t, append([]string{"--requirepass", password}, args...)...)
	o.Password = password
	return o
}

// StartACL is StartTLS for a server whose users a file of ACL rules names. The other
// file that it returns is the authority's certificate. args are added to the server's
// command line.
func StartACL(t testing.TB, file string, args ...string) (o broker.Options, caFile string) {
	t.Helper()
	return startTLS(t, append([]string{"--aclfile", file}, args...)...)
}

func startTLS(t testing.TB, args ...string) (o broker.Options, caFile string) {
	t.Helper()
	cert, key, caFile, authority := certify(t)
	port := freePorts(t, 1)[0]
	startFor(t, "", append([]string{"--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key,
		"--tls-ca-cert-file", cert, "--tls-auth-clients", "no"}, args...)...)
	return broker.Options{Addrs: []string{host + ":" + port}, TLS: &tls.Config{RootCAs: authority}}, caFile
}

// certificateLife is how long the certificates of tests are good for.
const certificateLife = 30 * 24 * time.Hour

// certify makes an authority and the files of a certificate for host that it signed,
// its key, and the authority's own certificate.
func certify(t testing.TB) (certFile, keyFile, caFile string, authority *x509.CertPool) {
	t.Helper()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotAfter: time.Now().Add(certificateLife), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	server := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host},
		NotAfter: time.Now().Add(certificateLife), IPAddresses: []net.IP{net.ParseIP(host)}}
	caKey, serverKey := newKey(t), newKey(t)
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		t.Fatal(err)
	}
	serverDER, err := x509.CreateCertificate(rand.Reader, server, ca, serverKey.Public(), caKey)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := x509.ParseCertificate(caDER)
	if err != nil {
		t.Fatal(err)
	}
	authority = x509.NewCertPool()
	authority.AddCert(signed)
	dir := t.TempDir()
	return writePEM(t, dir, "CERTIFICATE", serverDER), writePEM(t, dir, "PRIVATE KEY", keyDER), writePEM(t, t.TempDir(), "CERTIFICATE", caDER), authority
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t testing.TB, dir, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(dir, kind)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
