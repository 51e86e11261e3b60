package broker_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

func TestDialRefuses(t *testing.T) {
	t.Parallel()
	secured, err := testkit.StartRedis("--requirepass", "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(secured.Stop)
	for _, test := range []struct {
		name string
		o    broker.Options
		want error
	}{
		{"nobody there", broker.Options{Addrs: []string{os.TempDir() + "/no-such-socket"}}, hive.ErrUnreachable},
		{"no password", broker.Options{Addrs: []string{secured.Addr}}, hive.ErrUnreachable},
		{"wrong password", broker.Options{Addrs: []string{secured.Addr}, Password: "wrong"}, hive.ErrUnreachable},
	} {
		_, err := broker.Dial(t.Context(), test.o)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: Dial = %v, want %v", test.name, err, test.want)
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

func ExampleParseURL() {
	_, err := broker.ParseURL("redis://user:s3cret@host:notaport/0")
	fmt.Println(err)
	// Output: redis address "…@host:notaport/0": invalid port ":notaport" after host
}
