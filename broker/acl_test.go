package broker_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

var roles = []broker.Role{broker.RoleNexus, broker.RoleSpore, broker.RoleClient, broker.RoleDashboard}

// stage is a server that has a user for each role, and a cast of them.
type stage struct {
	*testkit.Redis
	t    *testing.T
	cast cast
}

func newStage(t *testing.T) *stage {
	server, err := testkit.StartRedis()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	s := &stage{Redis: server, t: t}
	as := func(r broker.Role) *broker.Broker {
		s.allow(r, r.Rules(broker.Options{}, "a"))
		return testkit.DialTo(t, broker.Options{Addrs: []string{server.Addr}, Username: string(r), Password: "pw", Lease: time.Nanosecond})
	}
	s.cast = cast{nexus: as(broker.RoleNexus), spore: as(broker.RoleSpore), client: as(broker.RoleClient), dashboard: as(broker.RoleDashboard)}
	return s
}

func (s *stage) do(words ...string) string {
	s.t.Helper()
	answer, err := s.Do(words...)
	if err != nil {
		s.t.Fatalf("%q: %v", words, err)
	}
	return answer
}

// allow gives a user these rules and no other.
func (s *stage) allow(r broker.Role, rules []string) {
	s.t.Helper()
	s.do(slices.Concat([]string{"ACL", "SETUSER", string(r), "on", ">pw", "resetkeys"}, rules)...)
}

// play plays everything on an empty road. Nexus may do what clients may: who says
// that it is the one that is meant plays both.
func (s *stage) play(role broker.Role) error {
	s.do("FLUSHALL")
	c := s.cast
	if role == broker.RoleNexus {
		c.client = c.nexus
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	c.ctx = ctx
	return c.play()
}

// TestACLSuffices: all that actors do, they may do.
func TestACLSuffices(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, role := range roles {
		if err := s.play(role); err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
	if log := s.do("ACL", "LOG"); log != "" {
		t.Errorf("the log of what was refused has\n%s", log)
	}
}

// TestACLIsLeast: without any one of a role's rules, something fails.
func TestACLIsLeast(t *testing.T) {
	t.Parallel()
	for _, role := range roles {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			rules := role.Rules(broker.Options{}, "a")
			for i, rule := range rules {
				if strings.ContainsAny(rule[:1], "r-") || slices.Contains(dialing, rule) {
					continue
				}
				s.allow(role, slices.Delete(slices.Clone(rules), i, i+1))
				if err := s.play(role); err == nil {
					t.Errorf("%s is not needed", rule)
				}
			}
		})
	}
}

// dialing are what is used before anything is done, or by clients of a Cluster.
var dialing = []string{"+ping", "+info", "+select", "+command", "+cluster|slots"}
