package broker_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

func TestAnnounce(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		announce := func(names ...string) {
			var skills []hive.Skill
			for _, name := range names {
				ref, err := hive.ParseSkillRef(name)
				r.check(err)
				skills = append(skills, hive.Skill{Manifest: hive.Manifest{Name: ref.Name, Version: ref.Pin}})
			}
			r.check(r.Announce(r.ctx(), r.term, skills, false))
		}
		known := func(want ...string) {
			r.t.Helper()
			skills, err := r.Skills(r.ctx())
			r.check(err)
			var got []string
			for i := range skills {
				got = append(got, skills[i].ID().String())
			}
			if !slices.Equal(got, want) {
				r.t.Errorf("Skills = %q, want %q", got, want)
			}
		}
		announce("echo@1.2.0", "echo@2.0.0-dev.1", "cat@1.0.0", "echo@1.10.0")
		known("cat@1.0.0", "echo@1.10.0", "echo@1.2.0", "echo@2.0.0-dev.1")
		if k, err := r.Listen(r.ctx(), s, time.Second); !k.Skills || err != nil {
			r.t.Errorf("Listen = %+v, %v", k, err)
		}
		generation := r.do("GET", "skgen")
		announce("echo@1.10.0")
		known("echo@1.10.0")
		again := func(want string, lose ...string) {
			r.t.Helper()
			for _, key := range lose {
				r.do("DEL", key)
			}
			before := r.do("GET", "skgen")
			echo := hive.Skill{Manifest: hive.Manifest{Name: "echo", Version: "1.10.0"}}
			r.check(r.Announce(r.ctx(), r.term, []hive.Skill{echo}, true))
			known("echo@1.10.0")
			if now := r.do("GET", "skgen"); (now == before) != (want == "same") {
				r.t.Errorf("announced again, without %q: generation %s, before %s", lose, now, before)
			}
		}
		again("same")
		again("another", "sk")
		again("another", "skgen")
		if now := r.do("GET", "skgen"); now == generation {
			r.t.Error("the generation stays where the list changed")
		}
		announce()
		known()
		if err := r.Announce(r.ctx(), broker.Term{Epoch: 1 << 40, Nexus: "n0"}, nil, false); !errors.Is(err, hive.ErrNotLeader) {
			r.t.Errorf("Announce by another nexus = %v", err)
		}
	})
}

// What somebody puts in the place of the list and its generation stops no spore, and
// goes with the next list.
func TestAnnounceHostile(t *testing.T) {
	onRoads(t, func(r *road) {
		s, rdb := r.join("a"), rawRedis(r.t, r.opts)
		for _, key := range []string{"sk", "skgen"} {
			r.check(rdb.Del(r.ctx(), shardKey(r.opts, key)).Err())
			r.check(rdb.RPush(r.ctx(), shardKey(r.opts, key), "x").Err())
		}
		_, err := r.Heartbeat(r.ctx(), s, &hive.NodeReport{ID: "a"}, false)
		r.check(err)
		r.check(r.Announce(r.ctx(), r.term, []hive.Skill{{Manifest: hive.Manifest{Name: "echo", Version: "1.0.0"}}}, false))
		skills, err := r.Skills(r.ctx())
		r.check(err)
		pulse, err := r.Heartbeat(r.ctx(), s, &hive.NodeReport{ID: "a"}, false)
		r.check(err)
		if len(skills) != 1 || pulse.Skills <= 0 {
			r.t.Errorf("%d skills of generation %d, want echo of a new one", len(skills), pulse.Skills)
		}
	})
}

// A list is as long as it is.
func TestAnnounceMany(t *testing.T) {
	onRoads(t, func(r *road) {
		skills := make([]hive.Skill, 3000)
		for i := range skills {
			skills[i].Manifest = hive.Manifest{Name: fmt.Sprintf("s%04d", i), Version: "1.0.0"}
		}
		r.check(r.Announce(r.ctx(), r.term, skills, false))
		got, err := r.Skills(r.ctx())
		if r.check(err); len(got) != len(skills) || got[2999].Name != "s2999" {
			r.t.Errorf("%d skills are known", len(got))
		}
	})
}
