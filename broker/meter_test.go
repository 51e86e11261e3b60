package broker_test

import (
	"testing"

	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// TestMeter: what the server did shows, also to who may do only what its role needs.
func TestMeter(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	before := meter(t, s.cast.client)
	const pings = 20
	for range pings {
		if d, err := s.cast.client.Ping(t.Context()); d <= 0 || err != nil {
			t.Fatalf("Ping = %v, %v", d, err)
		}
	}
	after := meter(t, s.cast.client)
	if after.Run == "" || after.Run != before.Run || after.Untold != "" || after.Main > after.CPU || after.Main < before.Main {
		t.Errorf("%+v after %+v", after, before)
	}
	if done := after.Commands - before.Commands; done < pings || done > pings+10 {
		t.Errorf("%d commands of %d pings", done, pings)
	}
	if read := after.Requests - before.Requests; read < pings || read > pings+10 {
		t.Errorf("%d requests of %d pings", read, pings)
	}
	s.allow(broker.RoleClient, []string{"-@all", "+ping"})
	if m := meter(t, s.cast.client); *m != (broker.Meter{Untold: "client may not run INFO"}) {
		t.Errorf("who may only ping is told %+v", m)
	}
}

// TestMeterEmbedded: a road in memory does not know its processor time.
func TestMeterEmbedded(t *testing.T) {
	testkit.Roads(t, func(t *testing.T, o broker.Options) {
		m := meter(t, testkit.DialTo(t, o))
		if known := m.CPU > 0; known == (m.Untold == "the server does not say") || m.Commands == 0 {
			t.Errorf("%+v", m)
		}
	})
}

func meter(t *testing.T, b *broker.Broker) *broker.Meter {
	t.Helper()
	m, err := b.Meter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}
