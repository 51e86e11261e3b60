package broker_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"testing"

	"github.com/hive-spore/hive"
)

func TestSeenReports(t *testing.T) {
	onRoads(t, func(r *road) {
		if got, err := r.SeenReports(r.ctx(), nil); len(got) != 0 || err != nil {
			r.t.Errorf("of nobody: %v, %v", got, err)
		}
		want, nodes := map[string][]byte{}, []string{"silent", "list", "large"}
		for i := range 130 { // more than are read at once
			id := fmt.Sprint("s", i)
			s, body := r.join(id), []byte(id+" saw")
			r.check(r.ReportSeen(r.ctx(), s, []byte("earlier")))
			r.check(r.ReportSeen(r.ctx(), s, body))
			want[id], nodes = body, append(nodes, id)
		}
		r.do("RPUSH", "st:list", "x")
		r.do("SET", "st:large", string(bytes.Repeat([]byte("x"), hive.MaxSeen+1)))
		got, err := r.SeenReports(r.ctx(), nodes)
		if err != nil || !reflect.DeepEqual(got, want) {
			r.t.Errorf("SeenReports = %d of %d, %v", len(got), len(want), err)
		}
		if left, err := strconv.Atoi(r.do("PTTL", "st:s1")); err != nil || left < 1 || left > 60_000 {
			r.t.Errorf("it stays for %d ms, %v; want a minute", left, err)
		}
		if err := r.ReportSeen(r.ctx(), r.join("x"), make([]byte, hive.MaxSeen+1)); !errors.Is(err, hive.ErrTooLarge) {
			r.t.Errorf("ReportSeen of too much: %v", err)
		}
	})
}

func TestRollouts(t *testing.T) {
	onRoads(t, func(r *road) {
		if got, err := r.Rollouts(r.ctx()); got != nil || err != nil {
			r.t.Errorf("before anything was told: %q, %v", got, err)
		}
		r.check(r.SetRollouts(r.ctx(), r.term, []byte(`{"one":1}`)))
		r.check(r.SetRollouts(r.ctx(), r.term, []byte(`{"two":2}`)))
		if got, err := r.Rollouts(r.ctx()); string(got) != `{"two":2}` || err != nil {
			r.t.Errorf("Rollouts = %q, %v", got, err)
		}
		if left, err := strconv.Atoi(r.do("PTTL", "ota")); err != nil || left < 1 || left > 60_000 {
			r.t.Errorf("it stays for %d ms, %v; want a minute", left, err)
		}
		if err := r.SetRollouts(r.ctx(), r.term, make([]byte, 256<<10+1)); !errors.Is(err, hive.ErrTooLarge) {
			r.t.Errorf("SetRollouts of too much: %v", err)
		}
	})
}
