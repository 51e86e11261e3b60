package broker_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

func TestDialRefuses(t *testing.T) {
	t.Parallel()
	secured, err := testkit.StartRedis("--requirepass", "s3cret", "--user", "bob", "on", ">pw", "~*", "+@all", "-ping")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(secured.Stop)
	encrypted, sentinels := testkit.StartTLS(t, "s3cret"), testkit.StartSentinels(t)
	at := func(o broker.Options, change func(*broker.Options)) broker.Options {
		change(&o)
		return o
	}
	refuses := "refuses the user name or password (set REDIS_PASSWORD): "
	for _, test := range []struct {
		name string
		o    broker.Options
		want string
	}{
		{"nobody there", broker.Options{Addrs: []string{os.TempDir() + "/no-such-socket"}}, "no such file"},
		{"no password", broker.Options{Addrs: []string{secured.Addr}}, refuses + "NOAUTH"},
		{"wrong password", broker.Options{Addrs: []string{secured.Addr}, Password: "wrong"}, refuses + "WRONGPASS"},
		{"not allowed", broker.Options{Addrs: []string{secured.Addr}, Username: "bob", Password: "pw"}, ": user bob may not run PING"},
		{"wrong password over TLS", at(encrypted, func(o *broker.Options) { o.Password = "wrong" }), refuses + "WRONGPASS"},
		{"another's certificate", at(encrypted, func(o *broker.Options) { o.TLS = &tls.Config{} }),
			"has a certificate that is not trusted: x509: certificate signed by unknown authority"},
		{"unknown master", at(sentinels, func(o *broker.Options) { o.Master = "nobody" }), `knows a master "nobody"`},
	} {
		_, err := broker.Dial(t.Context(), test.o)
		if !errors.Is(err, hive.ErrUnreachable) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Dial = %v, want it to say %q", test.name, err, test.want)
		}
	}
	b, err := broker.Dial(t.Context(), broker.Options{Addrs: []string{secured.Addr}, Password: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	if _, err := broker.Dial(t.Context(), broker.Options{Addrs: []string{"a:1", "b:1"}, DB: 3}); err == nil {
		t.Error("Dial of a Cluster with database 3 succeeded")
	}
}

// TestDialOldServer: a server that says it is version 6 is refused by name.
func TestDialOldServer(t *testing.T) {
	t.Parallel()
	addr := testkit.ServeVersion(t, "6.2.0")
	_, err := broker.Dial(t.Context(), broker.Options{Addrs: []string{addr}})
	if want := "redis at " + addr + " is version 6.2.0: the hive needs 7.0 or newer"; err == nil || err.Error() != want {
		t.Errorf("Dial = %v, want %q", err, want)
	}
}

// TestKeysNotAllowed: an ACL that allows other keys only.
func TestKeysNotAllowed(t *testing.T) {
	t.Parallel()
	server, err := testkit.StartRedis("--user", "kay", "on", ">pw", "~other:*", "+@all")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	b := testkit.DialTo(t, broker.Options{Addrs: []string{server.Addr}, Username: "kay", Password: "pw"})
	task := echo("")
	_, err = b.Enqueue(t.Context(), &task, "")
	if !errors.Is(err, hive.ErrUnreachable) || !strings.Contains(err.Error(), "user kay: NOPERM") {
		t.Errorf("Enqueue = %v, want it to name the user", err)
	}
}

func ExampleParseURL() {
	_, err := broker.ParseURL("redis://user:s3cret@host:notaport/0")
	fmt.Println(err)
	// Output: redis address "…@host:notaport/0": invalid port ":notaport" after host
}
