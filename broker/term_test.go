package broker_test

import (
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// leaderCalls are the calls that only the leader may make, each on a road where it would
// change something; see TestDeposedLeader.
var leaderCalls = map[string]func(r *road, f *field, term broker.Term) error{
	"Assign": func(r *road, f *field, term broker.Term) error {
		_, err := r.Assign(r.ctx(), &term, []broker.Grant{{Lane: "echo||:2", Node: "a", Count: 1}})
		return err
	},
	"AssignTask": func(r *road, f *field, term broker.Term) error {
		_, err := r.AssignTask(r.ctx(), term, f.pending, "a")
		return err
	},
	"Promote": func(r *road, f *field, term broker.Term) error {
		_, _, err := r.Promote(r.ctx(), term)
		return err
	},
	"Due": func(r *road, f *field, term broker.Term) error {
		_, err := r.Due(r.ctx(), term, &f.cron, f.cron.Last.Add(time.Hour), true)
		return err
	},
	"Lapse": func(r *road, f *field, term broker.Term) error {
		_, _, err := r.Lapse(r.ctx(), term)
		return err
	},
	"Reclaim": func(r *road, f *field, term broker.Term) error {
		_, err := r.Reclaim(r.ctx(), term, "silent")
		return err
	},
	"Expire": func(r *road, f *field, term broker.Term) error {
		_, err := r.Expire(r.ctx(), term, f.overdue)
		return err
	},
	"Mend": func(r *road, f *field, term broker.Term) error {
		_, err := r.Mend(r.ctx(), term, true)
		return err
	},
	"Recount": func(r *road, f *field, term broker.Term) error {
		_, err := r.Recount(r.ctx(), term)
		return err
	},
	"Adopt": func(r *road, f *field, term broker.Term) error {
		_, err := r.Adopt(r.ctx(), term, broker.Orphan{ID: f.orphan, State: hive.Pending})
		return err
	},
	"Announce": func(r *road, f *field, term broker.Term) error {
		return r.Announce(r.ctx(), term, []hive.Skill{{Manifest: hive.Manifest{Name: "echo", Version: "1.0.0"}, Digest: "sha256:aa"}}, false)
	},
	"SetRollouts": func(r *road, f *field, term broker.Term) error {
		return r.SetRollouts(r.ctx(), term, []byte("{}"))
	},
}

// field is a road on which there is something to do for every call of a leader.
type field struct {
	pending, orphan string
	overdue         *hive.Record
	cron            hive.Cron
}

func newField(r *road) *field {
	r.t.Helper()
	f := &field{}
	silent := r.join("silent")
	r.running(silent)
	s := r.join("a")
	failed := r.running(s)
	_, err := r.Fail(r.ctx(), "a", &failed, failure(hive.FailTrap), 0)
	r.check(err)
	f.overdue = r.want(r.running(s).Task.ID, hive.Running, 1, 0)
	f.overdue.Timeout = -broker.ExpireGrace
	f.orphan = r.enqueue(func(t *hive.Task) { t.Skill.Name = "lost" })
	r.do("DEL", "in:lost||:2")
	r.do("SREM", "act", "lost||:2")
	f.pending = r.enqueue()
	r.enqueue(until(-time.Second))
	cron := everyHour("due")
	r.check(r.AddCron(r.ctx(), &cron, false))
	f.cron = r.crons()[0]
	r.do("HSET", "used", "a", "7")
	for r.leaseHolds("silent") {
	}
	return f
}

// TestDeposedLeader makes every call that only the leader may make, as one that another
// has followed, as one of the same epoch, which a failover of Redis may give out twice,
// and as one from the future: none is served, and nothing is written. The leader's own
// call is served and writes, so that each had something to do.
func TestDeposedLeader(t *testing.T) {
	term := reflect.TypeFor[broker.Term]()
	methods := reflect.TypeFor[*broker.Broker]()
	for i := range methods.NumMethod() {
		m := methods.Method(i)
		for j := range m.Type.NumIn() {
			in := m.Type.In(j)
			if (in == term || in == reflect.PointerTo(term)) && leaderCalls[m.Name] == nil {
				t.Errorf("%s takes a term and is not tried here", m.Name)
			}
		}
	}
	for name, call := range leaderCalls {
		t.Run(name, func(t *testing.T) {
			onRoads(t, func(r *road) {
				f := newField(r)
				old := r.term
				r.check(r.Resign(r.ctx(), old.Nexus))
				epoch, leader, _, err := r.Campaign(r.ctx(), "other", time.Hour)
				if err != nil || leader != "other" {
					r.t.Fatalf("Campaign = %q, %v", leader, err)
				}
				before := r.dump()
				for who, term := range map[string]broker.Term{
					"of an epoch before":       {Epoch: old.Epoch, Nexus: old.Nexus},
					"of the same epoch":        {Epoch: epoch, Nexus: old.Nexus},
					"of the name, long before": {Epoch: old.Epoch, Nexus: "other"},
					"of an epoch to come":      {Epoch: epoch + 1, Nexus: old.Nexus},
					"of none":                  {},
				} {
					if err := call(r, f, term); !errors.Is(err, hive.ErrNotLeader) {
						r.t.Errorf("a leader %s: %v, want %v", who, err, hive.ErrNotLeader)
					}
					if after := r.dump(); after != before {
						r.t.Fatalf("a leader %s wrote:\n%s\nit was\n%s", who, after, before)
					}
				}
				r.check(call(r, f, broker.Term{Epoch: epoch, Nexus: "other"}))
				if r.dump() == before {
					r.t.Error("the leader's own call changed nothing: the others had nothing to do")
				}
			})
		})
	}
}

// A script that is told a term checks it before anything else.
func TestTermIsCheckedFirst(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("lua")
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, file := range files {
		text, err := os.ReadFile("lua/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`(?m)^-- ARGV: term\b`).Match(text) {
			continue
		}
		told++
		code := regexp.MustCompile(`(?m)^--.*\n`).ReplaceAllString(string(text), "")
		if !strings.HasPrefix(code, "if not leads(ARGV[1]) then return ") {
			t.Errorf("%s does something before it checks the term", file.Name())
		}
	}
	if told != len(leaderCalls) {
		t.Errorf("%d scripts are told a term, %d methods pass one", told, len(leaderCalls))
	}
}

// dump is all that stands on the road.
func (r *road) dump() string {
	r.t.Helper()
	const script = `local out, read = {}, {
  string = function(k) return { redis.call('GET', k) } end,
  list = function(k) return redis.call('LRANGE', k, 0, -1) end,
  set = function(k) local m = redis.call('SMEMBERS', k); table.sort(m); return m end,
  zset = function(k) return redis.call('ZRANGE', k, 0, -1, 'WITHSCORES') end,
  hash = function(k)
    local f = redis.call('HKEYS', k)
    table.sort(f)
    for i, name in ipairs(f) do f[i] = name .. '=' .. redis.call('HGET', k, name) end
    return f
  end,
}
local keys = redis.call('KEYS', ARGV[1])
table.sort(keys)
for _, k in ipairs(keys) do
  out[#out + 1] = k .. ' ' .. table.concat(read[redis.call('TYPE', k).ok](k), ' ')
end
return table.concat(out, '\n')`
	answer, err := testkit.Do(r.opts.Addrs[0], "EVAL", script, "0", "{"+r.shard()+"}:*")
	r.check(err)
	return answer
}
