package broker_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

// strange makes something else of a record.
var strange = map[string]func(record []byte) []byte{
	"nothing":          func([]byte) []byte { return []byte("x") },
	"empty":            func([]byte) []byte { return nil },
	"unknown flags":    func(b []byte) []byte { b[3] = 0xfe; return b },
	"short header":     func(b []byte) []byte { return b[:40] },
	"short fields":     func(b []byte) []byte { return b[:70] },
	"short payload":    func(b []byte) []byte { return b[:len(b)-1] },
	"unknown version":  func(b []byte) []byte { b[0] = '2'; return b },
	"unknown state":    func(b []byte) []byte { b[1] = 'q'; return b },
	"unknown priority": func(b []byte) []byte { b[2] = 11; return b },
	"no class":         func(b []byte) []byte { binary.BigEndian.PutUint32(b[54:], 3); return b },
	"no inbox": func(b []byte) []byte {
		b[3] |= 8
		if at := 66 + int(binary.BigEndian.Uint32(b[54:])) - 28; at > 70 {
			b[at] = 'x'
		}
		return b
	},
	"inbox in the class": func(b []byte) []byte { b[3], b[69] = b[3]|8, byte(binary.BigEndian.Uint32(b[54:])-4); return b },
	"endless fields":     func(b []byte) []byte { binary.BigEndian.PutUint32(b[54:], 1<<31); return b },
	"endless payload":    func(b []byte) []byte { binary.BigEndian.PutUint32(b[58:], 1<<31); return b },
	"endless outcome":    func(b []byte) []byte { binary.BigEndian.PutUint32(b[62:], 1<<31); return b },
	"64 MB of anything":  func([]byte) []byte { return make([]byte, 64<<20) },
	"64 MB of payload": func(b []byte) []byte {
		binary.BigEndian.PutUint32(b[58:], 64<<20)
		return append(b, make([]byte, 64<<20)...)
	},
}

// TestForeignRecord: what is no record, or was cut short, does not run. It is moved aside
// and counted, the foreman hears of it, who waits is told, and the others go on.
func TestForeignRecord(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		names := []string{"another type"}
		for name := range strange {
			names = append(names, name)
		}
		for _, name := range names {
			spoiled, other := echo(""), echo("")
			r.put(r.Enqueue(r.ctx(), &spoiled, "inbox"))
			r.put(r.Enqueue(r.ctx(), &other, ""))
			key := "t:" + spoiled.ID
			if change := strange[name]; change != nil {
				r.do("SET", key, string(change([]byte(r.do("GET", key)))))
			} else {
				r.do("DEL", key)
				r.do("SADD", key, "x")
			}
			r.bell()
			r.assign("a", 2)
			got := r.fetch(s, 2)
			if len(got) != 1 || got[0].Task.ID != other.ID {
				r.t.Fatalf("%s: Fetch = %v", name, got)
			}
			r.complete(s, got[0])
			if kind := r.do("TYPE", "odd:"+key); kind == "none" {
				r.t.Errorf("%s: it is not aside", name)
			}
			if _, err := r.Status(r.ctx(), spoiled.ID); !errors.Is(err, hive.ErrNotFound) {
				r.t.Errorf("%s: Status = %v", name, err)
			}
			if bell := r.bell(); !slices.ContainsFunc(bell, func(what string) bool { return strings.HasSuffix(what, "odd:"+key) }) {
				r.t.Errorf("%s: the bell says %q", name, bell)
			}
			r.do("DEL", "odd:"+key)
			_, err := r.Recount(r.ctx(), r.term) // it waits no more
			r.check(err)
		}
		stats, err := r.Stats(r.ctx())
		r.check(err)
		if want := int64(len(names)); stats.Foreign < want || stats.Completed != want || stats.Background != 0 {
			r.t.Errorf("Stats = %+v", stats)
		}
		r.wantIdle()
		r.mended()
	})
}

// bell reads what the foreman hears about foreign values.
func (r *road) bell() []string {
	r.t.Helper()
	bell, err := r.WaitBell(r.ctx(), time.Millisecond)
	r.check(err)
	return bell.Foreign
}

// TestForeignRecordInTheWay: an id under which something else stands is free.
func TestForeignRecordInTheWay(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		free, child := echo(""), echo("")
		child.Skill.Name = "other"
		r.do("SADD", "t:"+free.ID, "x")
		r.do("SET", "t:"+child.ID, "x")
		r.put(r.Enqueue(r.ctx(), &free, ""))
		r.assign("a", 1)
		a := r.fetch(s, 1)[0]
		o := withKV(set("k", "v"))
		o.Effects.Spawn = []hive.Task{child}
		r.check(r.Complete(r.ctx(), "a", &a, o))
		r.want(free.ID, hive.Completed, 1, 0)
		r.want(child.ID, hive.Pending, 0, 0)
	})
}

// TestForeignRecordOfARunningTask: its outcome counts no more, and it is nowhere.
func TestForeignRecordOfARunningTask(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		for name, change := range strange {
			for how, end := range map[string]func(a *hive.Attempt) error{
				"complete": func(a *hive.Attempt) error { return r.Complete(r.ctx(), "a", a, &hive.Outcome{}) },
				"commit":   func(a *hive.Attempt) error { return r.Complete(r.ctx(), "a", a, withKV(set("k", "v"))) },
				"fail": func(a *hive.Attempt) error {
					_, err := r.Fail(r.ctx(), "a", a, failure(hive.FailTrap), 0)
					return err
				},
			} {
				a := r.running(s)
				key := "t:" + a.Task.ID
				r.do("SET", key, string(change([]byte(r.do("GET", key)))))
				// Whoever completes does not look at the payload: it is not needed any more.
				if err := end(&a); !errors.Is(err, hive.ErrFenced) && !(name == "short payload" && how != "fail" && err == nil) {
					r.t.Errorf("%s: %s = %v", name, how, err)
				}
				r.do("DEL", key)
				r.do("DEL", "odd:"+key)
			}
		}
		_, err := r.Mend(r.ctx(), r.term, true)
		r.check(err)
		_, err = r.Recount(r.ctx(), r.term)
		r.check(err)
		r.wantIdle()
		stats, err := r.Stats(r.ctx())
		r.check(err)
		if stats.Running != 0 || stats.Background != 0 {
			r.t.Errorf("Stats = %+v", stats)
		}
	})
}

// TestForeignResult: a finished task's record that was cut short, or is endless, is one
// that is not there.
func TestForeignResult(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		for name, change := range map[string]func(string) string{
			"short":   func(record string) string { return record[:len(record)-len("done")-1] },
			"endless": func(record string) string { return record + strings.Repeat("x", 64<<20) },
		} {
			a, other := r.running(s), r.running(s)
			o := &hive.Outcome{Result: []byte("done"), Log: []byte("log")}
			r.check(r.Complete(r.ctx(), "a", &a, o))
			r.complete(s, other)
			key := "t:" + a.Task.ID
			r.do("SET", key, change(r.do("GET", key)))
			over, unknown, err := r.Wait(r.ctx(), "inbox", []string{a.Task.ID, other.Task.ID})
			if len(over) != 1 || len(unknown) != 1 || err != nil {
				r.t.Errorf("%s: Wait = %v, %v, %v", name, over, unknown, err)
			}
		}
	})
}
