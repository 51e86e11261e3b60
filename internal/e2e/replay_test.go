package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
)

// TestReplayOfEachFailure: the same program, told the same, fails the same way.
func TestReplayOfEachFailure(t *testing.T) {
	c := newEmptyCluster(t)
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() }))
	t.Cleanup(slow.Close)
	c.nexus("n1")
	config := c.config("spore = { slots = 4, http_private = [\"127.0.0.1/32\"] }")
	start(t, "", "spore", "--redis", c.url, "--name", "s1", "--config", config)
	skill := c.register("failing", skills.failing, func(m *hive.Manifest) {
		m.Grants = []hive.Grant{hive.GrantKV, hive.GrantHTTP}
		m.Allow.HTTP = []string{strings.TrimPrefix(slow.URL, "http://")}
		m.Limits.Memory = 32 << 20
	})
	command := c.register("guest", skills.guest)
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	for _, tt := range []struct {
		skill   hive.SkillRef
		payload string
		kind    hive.FailureKind
	}{
		{skill, "says", hive.FailSkill},
		{skill, "asleep", hive.FailTimeout},
		{skill, "waits " + slow.URL, hive.FailTimeout},
		{skill, "spins", hive.FailTimeout},
		{skill, "exits", hive.FailExit},
		{skill, "traps", hive.FailTrap},
		{skill, "grows", hive.FailMemory},
		{command, "exit 3", hive.FailExit},
		{command, "sleep 1h", hive.FailTimeout},
		{command, "panic bees", hive.FailExit},
	} {
		r, err := submitter.Run(t.Context(), hive.Task{Skill: tt.skill, Payload: []byte(tt.payload), Timeout: 3 * time.Second, Retries: hive.NoRetries})
		if err != nil {
			t.Fatal(err)
		}
		if r.State != hive.Failed || r.Failure.Kind != tt.kind {
			t.Errorf("%s: %s, %v, want %s", tt.payload, r.State, r.Failure, tt.kind)
		}
		replay := start(t, "", "nexus", "replay", r.ID, "--redis", c.url, "--config", config)
		replay.ends(0)
		if said := replay.out.String(); !strings.Contains(said, "the same failure, after ") {
			t.Errorf("%s: %v, and then %s", tt.payload, r.Failure, said)
		}
	}
}

// TestNoReplay says why there is none.
func TestNoReplay(t *testing.T) {
	c := newEmptyCluster(t)
	c.nexus("n1")
	config := c.config("")
	start(t, "", "spore", "--redis", c.url, "--name", "s1", "--slots", "1", "--config", config)
	skill := c.register("strict", skills.guest, func(m *hive.Manifest) { m.Input = []byte(`{"type": "string"}`) })
	task := hive.Task{ID: hive.NewID(), Skill: skill, Payload: []byte("7")}.WithDefaults()
	if _, err := c.road.Enqueue(t.Context(), &task, ""); err != nil { // as a skill that spawns it does
		t.Fatal(err)
	}
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	if r, err := submitter.Wait(t.Context(), task.ID); err != nil || r.Failure == nil || r.Failure.Kind != hive.FailInput {
		t.Fatalf("%+v, %v", r, err)
	}
	replay := start(t, "", "nexus", "replay", task.ID, "--redis", c.url, "--config", config)
	replay.ends(0) // it never got to its program, and does not now
	if said := replay.out.String(); !strings.Contains(said, "the same failure, after 0 of 0 recorded calls") {
		t.Error(said)
	}
}
