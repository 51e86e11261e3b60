package broker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/hostfuncs"
)

var _ hostfuncs.KV = broker.KV{} // guests read keys through it

func (r *road) wantList(prefix, after string, limit int, want ...string) {
	r.t.Helper()
	got, err := r.KV().List(r.ctx(), space, prefix, after, limit)
	r.check(err)
	if !slices.Equal(got, want) {
		r.t.Errorf("List(%q, %q, %d) = %.200q, want %.200q", prefix, after, limit, got, want)
	}
}

func TestList(t *testing.T) {
	onRoads(t, func(r *road) {
		r.wantList("", "", 10)
		r.given(set("b", ""), set("a", ""), set("a:1", ""), set("a:2", ""), set("é", ""), set("+", ""), set("+1", ""), set("-", ""),
			set("-1", ""), set(",", ""), set("*", ""), set("(", ""), set("[", ""), set("\U0010ffff", ""))
		all := []string{"(", "*", "+", "+1", ",", "-", "-1", "[", "a", "a:1", "a:2", "b", "é", "\U0010ffff"}
		r.wantList("", "", 100, all...)
		r.wantList("", "", len(all), all...)
		r.wantList("", "", 0)
		r.wantList("", "a:1", 2, "a:2", "b")
		r.wantList("", "\U0010ffff", 10)
		r.wantList("a", "", 10, "a", "a:1", "a:2")
		r.wantList("a:", "a:1", 10, "a:2")
		r.wantList("a:", "a:10", 10, "a:2")
		r.wantList("a", "a", 1, "a:1")
		r.wantList("b", "a", 10, "b")
		r.wantList("a", "b", 10)
		r.wantList("é", "", 10, "é")
		r.wantList("nothing", "", 10)
		r.wantList("+", "", 10, "+", "+1") // what stands for an end of all keys, too
		r.wantList("-", "", 10, "-", "-1")
		r.wantList("*", "", 10, "*")
		r.wantList(",", "", 10, ",")
		r.wantList("", "+", 2, "+1", ",")
		r.wantList("", "-", 2, "-1", "[")
		r.wantList("(", "", 10, "(")
		for after, i := "", 0; i < len(all); i++ {
			r.wantList("", after, 1, all[i])
			after = all[i]
		}
		if keys, err := r.KV().List(r.ctx(), "s.other", "", "", 10); len(keys) != 0 || err != nil {
			r.t.Errorf("List of another namespace = %q, %v", keys, err)
		}
	})
}

func TestListPassesOverExpired(t *testing.T) {
	onRoads(t, func(r *road) {
		var kv []hive.KVEffect
		for i := range 900 {
			kv = append(kv, brief(fmt.Sprintf("k%03d", i), "v", time.Hour))
		}
		r.given(kv...)
		gone := []string{"kv:s.echo:k000"}
		for i := range 899 {
			gone = append(gone, fmt.Sprintf("{%s}:kv:s.echo:k%03d", r.shard(), i))
		}
		r.do("DEL", gone[0], gone[1:]...) // as if their hour was over
		r.wantList("k", "", 5, "k899")
		if n := r.do("ZCARD", "ki:s.echo"); n != "1" {
			r.t.Errorf("the index has %s keys, want 1", n)
		}
		r.given(brief("soon", strings.Repeat("v", 100), time.Millisecond))
		for found := true; found; {
			var err error
			_, found, err = r.KV().Get(r.ctx(), space, "soon")
			r.check(err)
		}
		r.wantList("", "", 5, "k899")
		// One that holds a value again by the time it is taken out stays.
		r.do("ZADD", "ki:s.echo", "0", "left")
		if n, err := r.Unlist(r.ctx(), space, "k899", "left"); n != 1 || err != nil {
			r.t.Errorf("Unlist = %d, %v, want 1", n, err)
		}
		r.wantList("", "", 5, "k899")
	})
}
