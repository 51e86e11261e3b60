package cli

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// measured are figures of a hive of which nothing is at its limit: 1,000 tasks in two
// seconds on 8 slots, each held for 8 ms.
func measured() *figures {
	return &figures{
		Tasks: 1000, Completed: 1000, Elapsed: micros(2 * time.Second), Sandbox: micros(5 * time.Millisecond),
		Redis:  &redisFigures{Share: 0.4, CPU: micros(41 * time.Microsecond)},
		Spores: 2, Slots: 8, SlotsShare: new(0.5), SporesShare: new(0.3),
		Client: &clientFigures{Cores: 2, Share: 0.1}, RoundTrip: micros(80 * time.Microsecond),
	}
}

func TestBenchJudges(t *testing.T) {
	t.Parallel()
	const far = micros(12 * time.Millisecond)
	for _, test := range []struct {
		name    string
		mutate  func(*figures)
		verdict string
		do      string // how it begins
	}{
		{"nothing", func(*figures) {},
			"Nothing is at its limit: Redis 40 %, slots 50 %, the spores' processors 30 %, this client 10 %.", "More --tasks, or a second"},
		{"nothing, with as many as there may be", func(f *figures) { f.Tasks, f.Completed, f.Elapsed = benchMost, benchMost, micros(40*time.Second) },
			"Nothing is at its limit: Redis 40 %, slots 50 %, the spores' processors 30 %, this client 10 %.", "A second nexus bench"},
		{"nothing, on the way", func(f *figures) { f.Sandbox = micros(time.Millisecond) },
			"Nothing is at its limit: Redis 40 %, slots 50 %, the spores' processors 30 %, this client 10 %.", "More slots a spore (--slots) cost little"},
		{"little is known", func(f *figures) { f.Redis, f.SporesShare, f.SlotsShare, f.Client = nil, nil, nil, nil },
			"Nothing is known of: Redis, slots, the spores' processors, this client.", "More --tasks"},
		{"some is known", func(f *figures) { f.Redis, f.SporesShare = nil, nil },
			"Nothing that is known is at its limit: slots 50 %, this client 10 %; not known: Redis, the spores' processors.", "More --tasks"},
		{"redis", func(f *figures) { f.Redis.Share = 0.92 }, "Redis is the limit: 92 % of one core, 41 µs a task.", "A faster core"},
		{"redis, just not", func(f *figures) { f.Redis.Share = 0.849 },
			"Nothing is at its limit: Redis 85 %, slots 50 %, the spores' processors 30 %, this client 10 %.", "More --tasks"},
		{"redis before all others", func(f *figures) {
			f.Redis.Share, f.SlotsShare, f.SporesShare, f.Client.Share, f.RoundTrip = 0.85, new(1.0), new(1.0), 1, far
		}, "Redis is the limit: 85 % of one core, 41 µs a task.", "A faster core"},
		{"processors before slots", func(f *figures) { f.SlotsShare, f.SporesShare = new(1.0), new(0.96) },
			"The spores' processors are the limit: 96 % of them in use, by all that runs there; a task takes 5.00 ms in its sandbox.", "Spores on more machines"},
		{"slots that work", func(f *figures) { f.SlotsShare, f.Sandbox = new(0.97), micros(12*time.Millisecond) },
			"The slots are the limit: 8 slots, 97 % with a task; a task held one for 16 ms, 12 ms of it in its sandbox.", "More slots a spore (--slots) if"},
		{"slots that wait", func(f *figures) { f.SlotsShare, f.Sandbox = new(0.9), micros(20*time.Microsecond) },
			"The slots are the limit: 8 slots, 90 % with a task; a task held one for 14 ms, 20 µs of it in its sandbox.", "More slots a spore (--slots) cost little"},
		{"slots that wait for a far Redis", func(f *figures) { f.SlotsShare, f.Sandbox, f.RoundTrip = new(0.97), micros(time.Millisecond), far },
			"The network is the limit: a round trip to Redis takes 12 ms.", "Bring it nearer"},
		{"slots that work, far from Redis", func(f *figures) { f.SlotsShare, f.RoundTrip, f.Sandbox = new(0.97), far, micros(12*time.Millisecond) },
			"The slots are the limit: 8 slots, 97 % with a task; a task held one for 16 ms, 12 ms of it in its sandbox.", "More slots"},
		{"client", func(f *figures) { f.Client.Share = 0.93 }, "This client is the limit: 93 % of its 2 cores.", "Run it on another machine"},
		{"network", func(f *figures) { f.RoundTrip = far }, "The network is the limit: a round trip to Redis takes 12 ms.", "Bring it nearer"},
		{"failed", func(f *figures) { f.Failed, f.FirstFailure, f.Redis.Share = 12, "exit: exit code 3", 1 },
			"No verdict: 12 of 1000 tasks failed, the first: exit: exit code 3.", "Choose a skill"},
		{"lost", func(f *figures) { f.Lost, f.SlotsShare = "it was gone", new(1.0) }, "No verdict: the tasks could not run all the time: it was gone.", "Run it again"},
	} {
		f := measured()
		test.mutate(f)
		if verdict, do := f.judge(); verdict != test.verdict || !strings.HasPrefix(do, test.do) {
			t.Errorf("%s:\n got %s %s\nwant %s %s…", test.name, verdict, do, test.verdict, test.do)
		}
	}
}

// TestBenchDivides: what is told of tasks, and of Redis, is theirs alone.
func TestBenchDivides(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	var f figures
	f.tellIdle([]single{{acked: ms, whole: 9 * ms, waited: 4 * ms, sandbox: 2 * ms}, {acked: 3 * ms, whole: 3 * ms, waited: 0, sandbox: 2 * ms}})
	if f.IdleTasks != 2 || f.IdleP50 != micros(3*ms) || f.IdleP99 != micros(9*ms) || f.IdleSubmit != micros(2*ms) {
		t.Errorf("idle is %+v", f)
	}
	if f.IdleMean != micros(6*ms) || f.IdleWait != micros(2*ms) || f.IdleSandbox != micros(2*ms) || f.IdleRest != micros(2*ms) {
		t.Errorf("the mean is %s: %s, %s, %s", f.IdleMean, f.IdleWait, f.IdleSandbox, f.IdleRest)
	}

	run := fullRun{submitted: 4, acked: 10 * ms, took: 2 * time.Second}
	for _, r := range []*hive.Record{
		{State: hive.Completed, Outcome: hive.Outcome{Elapsed: 3 * ms}}, {State: hive.Cancelled},
		{State: hive.Completed, Outcome: hive.Outcome{Elapsed: 5 * ms}},
		{State: hive.Failed, Outcome: hive.Outcome{Elapsed: 100 * ms, Failure: hive.NewFailure(hive.FailSkill, "later")}},
	} {
		run.add(r, time.Duration(len(run.completed)+run.failed+1)*ms)
	}
	f.tellFull(&run)
	if f.Tasks != 4 || f.Completed != 2 || f.Failed != 2 || f.FirstFailure != "cancelled" || f.EnqueueRate != 400 || f.Rate != 1 {
		t.Errorf("2 of 4 tasks in 2 s are %+v", f)
	}
	if f.Sandbox != micros(4*ms) || f.P50 != micros(ms) || f.P99 != micros(3*ms) {
		t.Errorf("what completed took %s, %s, %s, want those of 1 and 3", f.Sandbox, f.P50, f.P99)
	}

	before := &broker.Meter{Run: "1", CPU: time.Second, Commands: 100, Requests: 10}
	after := &broker.Meter{Run: "1", CPU: 2 * time.Second, Commands: 500, Requests: 40}
	f.tellRedis(before, after, 2*time.Second, 10)
	if want := (redisFigures{Share: 0.5, CPU: micros(100 * ms), Commands: 40, Requests: 3}); *f.Redis != want {
		t.Errorf("redis is %+v, want %+v", *f.Redis, want)
	}
	before.Main, after.Main = time.Second/2, time.Second
	if f.tellRedis(before, after, 2*time.Second, 10); f.Redis.Share != 0.25 || f.Redis.CPU != micros(100*ms) {
		t.Errorf("of its main thread it is %+v", *f.Redis)
	}
	f.Redis, after.Run = nil, "2"
	if f.tellRedis(before, after, time.Second, 10); f.Redis != nil || f.Lost == "" || f.RedisUntold == "" {
		t.Errorf("another server is %+v", f)
	}
}

// TestBenchLoad: tasks of others count as such, and share what Redis did.
func TestBenchLoad(t *testing.T) {
	t.Parallel()
	meter := func(n int64) *broker.Meter {
		return &broker.Meter{Run: "1", CPU: time.Duration(n) * time.Second, Commands: 100 * n, Requests: 10 * n}
	}
	l := &load{
		bench:  &bench{over: 100, slots: 8, nodes: make([]hive.Node, 2)},
		before: reading{redis: meter(1), over: 110, cpu: time.Second},
		after:  reading{redis: meter(2), over: 160, cpu: 3 * time.Second},
		looks:  2, held: 1.5, beats: 4, cpu: 1,
	}
	var f figures
	f.tellLoad(l, 2*time.Second, 20)
	if f.OtherTasks != 40 || f.Lost != "" || f.Spores != 2 || f.Slots != 8 || *f.SlotsShare != 0.75 || *f.SporesShare != 0.25 {
		t.Errorf("it is %+v", f)
	}
	if want := (redisFigures{Share: 0.5, CPU: micros(20 * time.Millisecond), Commands: 2, Requests: 0.2}); *f.Redis != want {
		t.Errorf("redis is %+v, want %+v", *f.Redis, want)
	}
	if c := f.Client; c.CPU != micros(100*time.Millisecond) || c.Share != round(1/float64(c.Cores), 3) {
		t.Errorf("the client is %+v", *c)
	}
	l.failed, l.looks, l.beats, l.before.cpu = errors.New("gone"), 0, 0, 0
	f = figures{}
	if f.tellLoad(l, time.Second, 20); f.Lost != "gone" || f.SlotsShare != nil || f.SporesShare != nil || f.Client != nil {
		t.Errorf("of what was not seen it tells %+v", f)
	}
}

// TestBenchLooks: a slot has a task that waits at its spore, too, and Redis is lost if it
// says nothing for long.
func TestBenchLooks(t *testing.T) {
	t.Parallel()
	server, err := testkit.StartRedis()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	road := testkit.DialTo(t, broker.Options{Addrs: []string{server.Addr}})
	do := func(words ...string) {
		if _, err := server.Do(words...); err != nil {
			t.Fatal(err)
		}
	}
	do("HSET", "{h}:used", "a", "3", "b", "1", "other", "9")
	nodes := []hive.Node{{NodeReport: hive.NodeReport{ID: "a", Slots: 2}}, {NodeReport: hive.NodeReport{ID: "b", Slots: 2}}}
	l := &load{bench: &bench{road: road, slots: 4, nodes: nodes}}
	if err := l.look(t.Context()); err != nil || l.looks != 1 || l.held != 0.75 {
		t.Errorf("a look sees %d, %v, %v, want 3 of 4 slots", l.looks, l.held, err)
	}
	do("CLIENT", "PAUSE", "1100", "ALL")
	if err := l.look(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "redis answered nothing for ") {
		t.Errorf("a look at a silent Redis says %v", err)
	}
}

func TestBenchHowMany(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		slots   int
		sandbox time.Duration
		want    int
	}{
		{8, 0, 10_000}, {6, 12 * time.Millisecond, 4998}, {8, 3 * time.Second, 24}, {8, time.Minute, 8}, {20_000, time.Microsecond, 20_000}, {30_000, time.Second, 20_000}, {0, time.Second, 10},
	} {
		b := bench{slots: test.slots, found: figures{IdleSandbox: micros(test.sandbox)}}
		if got := b.howMany(); got != test.want {
			t.Errorf("%d slots, %v each: %d tasks, want %d", test.slots, test.sandbox, got, test.want)
		}
	}
}

func TestMicros(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration][2]string{
		1250 * time.Nanosecond:  {"1 µs", "1.3"},
		123 * time.Microsecond:  {"0.12 ms", "123"},
		25 * time.Millisecond:   {"25 ms", "25000"},
		1234 * time.Millisecond: {"1.2 s", "1234000"},
	} {
		text, err := micros(d).MarshalJSON()
		if got := [2]string{micros(d).String(), string(text)}; got != want || err != nil {
			t.Errorf("%v is %q, %v, want %q", d, got, err, want)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		columns int
		want    []string
	}{
		{9, []string{"12 µs and", "no longer", "than", "0123456789", "x"}},
		{100, []string{"12 µs and no longer than 0123456789 x"}},
	} {
		if got := strings.Split(wrap("12 µs and no longer than 0123456789 x", test.columns), "\n"); !slices.Equal(got, test.want) {
			t.Errorf("%d columns: %q, want %q", test.columns, got, test.want)
		}
	}
}
