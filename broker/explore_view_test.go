package broker_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// view is all that stands on a road at one moment, read without any script.
type view struct {
	now                time.Time
	keys               map[string]string // every key as text, to compare roads
	tasks              map[string]entry
	lanes, queues, own map[string][]string
	delay, dead        map[string]float64
	deadlines          map[string]float64
	unique             map[string]string // the id that has a key
	crons              map[string]int    // the time up to which each was looked after, in ms
	act, nodes         []string
	used, run, ct      map[string]int
	beats              map[string]beat
	epoch              int64
	leader             string
	blobs              map[string]time.Duration // until each goes; 0: it stays
	refers             map[string]string        // how many tasks refer to each, and until when it stays
	until              int64
	kv                 model
	waits, rings       map[string][]string // who waits for a task; a doorbell's or inbox's items
	at                 map[string][]string // where every id stands, as often as it does
}

// entry is one record, and what unpack leaves out of it.
type entry struct {
	*hive.Record
	raw         string
	class, lane string
	ttl         time.Duration
}

type beat struct {
	incarnation string
	at          int64
}

// letter is that of the state, or '-' where there is no record.
func (e entry) letter() byte {
	if e.Record == nil {
		return '-'
	}
	return e.raw[1]
}

func (e entry) tombstone() bool { return e.raw[3]&2 != 0 }
func (e entry) over() bool      { return strings.IndexByte("cfx", e.letter()) >= 0 }

// holds reports whether an attempt runs on a spore.
func (v *view) holds(node string, a hive.Attempt) bool {
	e := v.tasks[a.Task.ID]
	return e.letter() == 'r' && e.Attempts == a.Number && e.Node == node
}

// look reads a road; an error is a key or value that no script may leave there.
func look(s *testkit.Still) (*view, error) {
	v := &view{now: s.Now, keys: map[string]string{}, tasks: map[string]entry{}, lanes: map[string][]string{},
		queues: map[string][]string{}, own: map[string][]string{}, beats: map[string]beat{}, kv: model{},
		waits: map[string][]string{}, rings: map[string][]string{}, unique: map[string]string{}, blobs: map[string]time.Duration{}}
	for _, key := range s.Keys() {
		text, err := v.read(s, key, strings.TrimPrefix(key, "{h}:"))
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", key, err)
		}
		v.keys[strings.TrimPrefix(key, "{h}:")] = text
	}
	v.place()
	return v, nil
}

// read takes one key in, and returns it as text.
func (v *view) read(s *testkit.Still, key, name string) (text string, err error) {
	var items []string
	kind, rest, _ := strings.Cut(name, ":")
	switch kind {
	case "t":
		return v.readTask(s, key, rest)
	case "in", "n", "db", "ib", "bell", "em", "rcl":
		items, err = s.List(key)
	case "own", "act", "nodes", "wait":
		items, err = s.Members(key)
	case "used", "run", "ct", "lead", "hb", "bl", "cron", "cronat":
		return v.readHash(s, key, kind, rest)
	case "delay", "dead", "dl", "ki", "kx":
		scores, err := s.SortedSet(key)
		switch kind {
		case "delay":
			v.delay = scores
		case "dead":
			v.dead = scores
		case "dl":
			v.deadlines = scores
		}
		return fmt.Sprint(scores), err
	case "u":
		text, err = s.Get(key)
		v.unique[rest] = text
		return text, err
	case "b":
		v.blobs[rest] = s.TTL(key)
		return s.Get(key)
	case "kv", "pg", "rc", "rcb", "fmt":
		text, err = s.Get(key)
		if kind == "kv" {
			v.kv[strings.TrimPrefix(rest, space+":")] = text
		}
		return text, err
	default:
		return "", fmt.Errorf("nobody knows it")
	}
	v.take(kind, rest, items)
	return strings.Join(items, "\x00"), err
}

func (v *view) take(kind, name string, items []string) {
	switch kind {
	case "in":
		v.lanes[name] = items
	case "n":
		v.queues[name] = items
	case "own":
		v.own[name] = items
	case "act":
		v.act = items
	case "nodes":
		v.nodes = items
	case "wait":
		v.waits[name] = items
	case "db", "ib", "bell":
		v.rings[strings.TrimSuffix(kind+":"+name, ":")] = items
	}
}

func (v *view) readTask(s *testkit.Still, key, id string) (string, error) {
	raw, err := s.Get(key)
	if err != nil {
		return "", err
	}
	r, err := broker.Unpack(id, raw)
	if err != nil {
		return "", err
	}
	class := raw[70 : 70+int(raw[69])]
	v.tasks[id] = entry{r, raw, class, fmt.Sprint(class, ":", r.Priority), s.TTL(key)}
	return raw, nil
}

func (v *view) readHash(s *testkit.Still, key, kind, rest string) (string, error) {
	fields, err := s.HKeys(key)
	hash, numbers := map[string]string{}, map[string]int{}
	for _, f := range fields {
		hash[f] = s.HGet(key, f)
		numbers[f], _ = strconv.Atoi(hash[f])
	}
	switch kind {
	case "used":
		maps.DeleteFunc(numbers, func(_ string, n int) bool { return n == 0 })
		v.used, hash = numbers, nil
	case "run":
		v.run = numbers
	case "ct":
		v.ct = numbers
	case "bl":
		v.refers = hash
	case "lead":
		v.epoch, v.leader, v.until = int64(numbers["epoch"]), hash["id"], int64(numbers["until"])
	case "cronat":
		v.crons = numbers
	case "hb":
		v.beats[rest] = beat{hash["inc"], int64(numbers["beat"])}
	}
	if hash == nil {
		return fmt.Sprint(numbers), err
	}
	return fmt.Sprint(hash), err
}

// hints are keys that may differ where nothing happened.
var hints = []string{"bell", "db:", "ib:", "hb:", "nodes"}

// moved names a key in which two roads differ beyond hints, or is empty.
func (v *view) moved(since *view) string {
	for key := range joined(v.keys, since.keys) {
		hint := slices.ContainsFunc(hints, func(h string) bool { return strings.HasPrefix(key, h) })
		none := key == "used" && v.keys[key]+since.keys[key] == "map[]"
		if !hint && !none && v.keys[key] != since.keys[key] {
			return key
		}
	}
	return ""
}

func joined(a, b map[string]string) map[string]bool {
	names := map[string]bool{}
	for key := range a {
		names[key] = true
	}
	for key := range b {
		names[key] = true
	}
	return names
}

// check finds what on the road disagrees with itself.
func (v *view) check() error {
	for _, f := range []func() error{v.checkPlaces, v.checkCounts, v.checkRecords, v.checkIndexes, v.checkBlobs} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (v *view) place() {
	v.at = map[string][]string{}
	for prefix, lists := range map[string]map[string][]string{"in:": v.lanes, "n:": v.queues, "own:": v.own} {
		for name, ids := range lists {
			for _, id := range ids {
				v.at[id] = append(v.at[id], prefix+name)
			}
		}
	}
	for id := range v.delay {
		v.at[id] = append(v.at[id], "delay")
	}
}

func (v *view) checkPlaces() error {
	for id, places := range v.at {
		if _, known := v.tasks[id]; !known {
			return fmt.Errorf("%s stands in %v, and has no record", id, places)
		}
	}
	for id, t := range v.tasks {
		places := v.at[id]
		waits := len(places) == 1 && (places[0] == "in:"+t.lane || strings.HasPrefix(places[0], "n:"))
		ok := false
		switch t.letter() {
		case 'p':
			ok = waits
		case 'r':
			ok = slices.Equal(places, []string{"own:" + t.Node})
		case 's':
			ok = slices.Equal(places, []string{"delay"})
		case 'f', 'x':
			ok = waits && t.tombstone() || len(places) == 0 && !t.tombstone()
		case 'c':
			ok = len(places) == 0
		}
		if !ok {
			return fmt.Errorf("%s is %s and stands in %v", id, t.State, places)
		}
	}
	return nil
}

// checkCounts recounts what spores and classes hold, and the lanes that are not empty.
func (v *view) checkCounts() error {
	used, run := map[string]int{}, map[string]int{}
	for _, lists := range []map[string][]string{v.queues, v.own} {
		for node, ids := range lists {
			used[node] += len(ids)
			if !slices.Contains(v.nodes, node) {
				return fmt.Errorf("spore %s holds %v and is not listed", node, ids)
			}
			for _, id := range ids {
				run[v.tasks[id].class]++
			}
		}
	}
	if !maps.Equal(v.used, used) {
		return fmt.Errorf("used is %v, recounted %v", v.used, used)
	}
	if !maps.Equal(v.run, run) {
		return fmt.Errorf("run is %v, recounted %v", v.run, run)
	}
	lanes := slices.Sorted(maps.Keys(v.lanes))
	if !slices.Equal(slices.Sorted(slices.Values(v.act)), lanes) {
		return fmt.Errorf("act is %v, lanes are %v", v.act, lanes)
	}
	return v.checkCounters()
}

// checkCounters recounts what waits and what runs; what is over is counted as it happens.
func (v *view) checkCounters() error {
	ct := map[string]int{}
	for _, t := range v.tasks {
		if t.letter() == 'p' {
			ct[fmt.Sprint("w", int(t.Priority))]++
		} else if t.letter() == 'r' {
			ct["running"]++
		}
	}
	for name, n := range v.ct {
		if (name == "running" || name[0] == 'w') && n != ct[name] || name == "mended" || name == "foreign" {
			return fmt.Errorf("counter %s is %d, recounted %d", name, n, ct[name])
		}
	}
	for name, n := range ct {
		if v.ct[name] != n {
			return fmt.Errorf("counter %s is %d, recounted %d", name, v.ct[name], n)
		}
	}
	return nil
}

// inboxes are those of all who wait for a task.
func (v *view) inboxes(id string) []string {
	all := slices.Clone(v.waits[id])
	if t, known := v.tasks[id]; known && t.raw[3]&8 != 0 {
		end := 66 + binary.BigEndian.Uint32([]byte(t.raw[54:])) // of the task fields
		all = append(all, strings.TrimRight(t.raw[end-24:end], "\x00"))
	}
	return all
}

func (v *view) checkRecords() error {
	for id, t := range v.tasks {
		survives := t.Failures <= t.Retries
		switch forever := !t.over() || t.tombstone(); {
		case t.Failures > t.Retries+1 || !survives && !t.over():
			return fmt.Errorf("%s is %s after %d failures of %d", id, t.State, t.Failures, t.Retries)
		case forever != (t.ttl == 0):
			return fmt.Errorf("%s is %s and expires in %v", id, t.State, t.ttl)
		}
		waited := t.raw[3]&1 != 0
		if _, known := v.waits[id]; known && (t.over() || !waited) {
			return fmt.Errorf("%s is %s and nobody will tell %v", id, t.State, v.waits[id])
		}
		goes, dead := v.dead[id] // an earlier life with this id may have gone, long ago
		if dead = dead && int64(goes) > t.Created.UnixMilli(); (t.letter() == 'f') != dead && !t.tombstone() {
			return fmt.Errorf("%s is %s; in dead: %v", id, t.State, dead)
		}
		if err := v.checkBound(id, t); err != nil {
			return err
		}
	}
	for key, id := range v.unique {
		if v.tasks[id].Record == nil {
			return fmt.Errorf("%s has the key %s and no record", id, key)
		}
		if t := v.tasks[id]; t.Record != nil && t.UniqueFor == 0 && t.Unique == key && t.over() {
			return fmt.Errorf("%s is %s and has the key %s", id, t.State, key)
		}
	}
	for id := range v.deadlines {
		if t := v.tasks[id]; t.Record == nil || t.over() {
			return fmt.Errorf("the deadline of %s is listed, which is over", id)
		}
	}
	return nil
}

// checkBound: a task that is not over has its key, and its deadline is listed.
func (v *view) checkBound(id string, t entry) error {
	_, listed := v.deadlines[id]
	switch {
	case t.over():
	case t.Unique != "" && t.UniqueFor == 0 && v.unique[t.Unique] != id:
		return fmt.Errorf("%s is %s, and %q has its key", id, t.State, v.unique[t.Unique])
	case t.Deadline.IsZero() == listed:
		return fmt.Errorf("%s is %s with the deadline %v; listed: %v", id, t.State, t.Deadline, listed)
	}
	return nil
}

// checkBlobs recounts who refers to blobs, which stay as long as anybody does.
func (v *view) checkBlobs() error {
	refers := map[string]int{}
	for _, t := range v.tasks {
		if !t.over() && !t.PayloadBlob.None() {
			refers[strings.TrimPrefix(t.PayloadBlob.Digest, "sha256:")]++
		}
	}
	for name, ttl := range v.blobs {
		many, _, _ := strings.Cut(v.refers[name], " ")
		if n, _ := strconv.Atoi(many); n != refers[name] || (n > 0) != (ttl == 0) {
			return fmt.Errorf("%d tasks refer to blob %.8s; counted %q, and it expires in %v", refers[name], name, v.refers[name], ttl)
		}
		delete(refers, name)
	}
	if len(refers) > 0 {
		return fmt.Errorf("tasks refer to blobs that are not there: %v", refers)
	}
	return nil
}

// checkIndexes compares keys of values and recordings with what lists them.
func (v *view) checkIndexes() error {
	for key := range v.kv {
		if !strings.Contains(v.keys["ki:"+space], key+":0") {
			return fmt.Errorf("key %s is not in its index", key)
		}
	}
	sum := 0
	for _, item := range strings.Split(v.keys["rcl"], "\x00") {
		size, _, _ := strings.Cut(item, " ")
		n, _ := strconv.Atoi(size)
		sum += n
	}
	for key := range v.keys {
		if name, ok := strings.CutPrefix(key, "rc:"); ok && !strings.Contains(v.keys["rcl"], " "+name) {
			return fmt.Errorf("recording %s is not listed", name)
		}
	}
	if kept, _ := strconv.Atoi(v.keys["rcb"]); kept != sum || sum > recordings {
		return fmt.Errorf("recordings have %d bytes, counted %d, at most %d", sum, kept, recordings)
	}
	return nil
}
