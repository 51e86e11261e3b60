package spore_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/testkit"
	"github.com/hive-spore/hive/nexus"
	"github.com/hive-spore/hive/spore"
)

func TestMain(m *testing.M) {
	testkit.Main(m, func() error { return goleak.Find() })
}

// world is a road, a nexus that keeps a repository, and its publisher.
type world struct {
	*testing.T
	road *broker.Broker
	pub  *testkit.Publisher
}

// newWorld has no skill and no spore yet.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t, testkit.Dial(t), testkit.NewPublisher(t)}
	n, err := nexus.New(nexus.Options{Road: w.road, Bundles: w.pub.Keep})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Stop(context.Background()) })
	return w
}

// register registers the guest and waits until it is known.
func (w *world) register(change ...func(*hive.Manifest)) {
	w.Helper()
	s := w.pub.RegisterGuest(change...)
	if err := w.road.AwaitSkill(w.Context(), s.ID()); err != nil {
		w.Fatal(err)
	}
}

func (w *world) client() *client.Client {
	c := client.New(w.road, client.Options{})
	w.Cleanup(func() { c.Close() })
	return c
}

// hiveOf starts a nexus and a spore per option on a fresh shard, with the guest
// skill registered.
func hiveOf(t *testing.T, spores ...spore.Options) (*world, *client.Client, []*spore.Spore) {
	t.Helper()
	w := newWorld(t)
	w.register()
	var started []*spore.Spore
	for _, o := range spores {
		started = append(started, w.start(o))
	}
	return w, w.client(), started
}

// options fill in what every spore of a test has.
func (w *world) options(o spore.Options) spore.Options {
	o.Road, o.CacheDir, o.Admit = w.road, testkit.CacheDir(w), testkit.Admit()
	o.Bundles.Repository, o.Bundles.Between = w.pub.Client(w), spore.NoWait
	return o
}

// start starts a spore and waits until it has looked for skills, of which there are some.
func (w *world) start(o spore.Options) *spore.Spore {
	w.Helper()
	s, err := spore.New(w.options(o))
	if err != nil {
		w.Fatal(err)
	}
	if err := s.Start(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { s.Stop(context.Background()) })
	for {
		nodes, err := w.road.Nodes(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		at := slices.IndexFunc(nodes, func(n hive.Node) bool { return n.ID == s.Name() })
		if at >= 0 && len(nodes[at].Skills)+len(nodes[at].Refused) > 0 {
			return s
		}
		time.Sleep(time.Millisecond)
	}
}

func guest(payload string) hive.Task {
	return hive.Task{Skill: hive.SkillRef{Name: "guest"}, Payload: []byte(payload), Retries: hive.NoRetries}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	_, c, _ := hiveOf(t, spore.Options{Name: "a"})
	for _, test := range []struct {
		payload string
		timeout time.Duration
		state   hive.State
		result  string
		kind    hive.FailureKind
	}{
		{payload: "echo hello", state: hive.Completed, result: "hello"},
		{payload: "bytes", state: hive.Completed, result: "\xff\x00\xfe"},
		{payload: "exit 3", state: hive.Failed, kind: hive.FailExit},
		{payload: "sleep 1h", timeout: 50 * time.Millisecond, state: hive.Failed, kind: hive.FailTimeout},
		{payload: "spin", timeout: 50 * time.Millisecond, state: hive.Failed, kind: hive.FailTimeout},
	} {
		task := guest(test.payload)
		task.Timeout = test.timeout
		r, err := c.Run(t.Context(), task)
		if err != nil {
			t.Fatal(err)
		}
		if r.State != test.state || string(r.Result) != test.result {
			t.Errorf("%s: %s %q, %v; want %s %q", test.payload, r.State, r.Result, r.Failure, test.state, test.result)
		}
		if test.kind != "" && (r.Failure == nil || r.Failure.Kind != test.kind) {
			t.Errorf("%s: failure %v, want %s", test.payload, r.Failure, test.kind)
		}
		if r.Node != "a" || r.Ran.String() != "guest@1.0.0" || r.Elapsed <= 0 {
			t.Errorf("%s: ran %v on %q for %v", test.payload, r.Ran, r.Node, r.Elapsed)
		}
	}
}

func TestLogIsKept(t *testing.T) {
	t.Parallel()
	_, c, _ := hiveOf(t, spore.Options{Name: "a"})
	r, err := c.Run(t.Context(), guest("log this was said"))
	if err != nil || strings.TrimSpace(string(r.Log)) != "this was said" {
		t.Errorf("log = %q, %v", r.Log, err)
	}
}

func TestRetriesThenDeadLetter(t *testing.T) {
	t.Parallel()
	_, c, _ := hiveOf(t, spore.Options{Name: "a"})
	task := guest("exit 1")
	task.Retries = 1
	r, err := c.Run(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	if r.State != hive.Failed || r.Attempts != 2 || r.Failures != 2 {
		t.Errorf("%s after %d attempts, %d failures; want failed after 2, 2", r.State, r.Attempts, r.Failures)
	}
}

func TestMapKeepsOrder(t *testing.T) {
	t.Parallel()
	w, c, _ := hiveOf(t, spore.Options{Name: "a"}, spore.Options{Name: "b"})
	var payloads [][]byte
	for i := range 100 {
		payloads = append(payloads, []byte("echo "+strings.Repeat("x", i)))
	}
	steps := 0
	records, err := c.Map(t.Context(), client.MapOptions{
		Task:     guest(""),
		Progress: func(done, total int, _ *hive.Record) { steps++ },
	}, payloads)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range records {
		if len(r.Result) != i {
			t.Fatalf("record %d has a result of %d bytes", i, len(r.Result))
		}
	}
	if steps != len(payloads) {
		t.Errorf("%d steps of progress, want %d", steps, len(payloads))
	}
	if s, err := w.road.Stats(t.Context()); s != (hive.Stats{Completed: 100}) || err != nil {
		t.Errorf("Stats = %+v, %v", s, err)
	}
}

func TestMapInterrupted(t *testing.T) {
	t.Parallel()
	w, c, _ := hiveOf(t, spore.Options{Name: "a", Slots: 1})
	ctx, cancel := context.WithCancel(t.Context())
	payloads := [][]byte{[]byte("echo 1"), []byte("sleep 1h"), []byte("echo 3")}
	records, err := c.Map(ctx, client.MapOptions{
		Task:     guest(""),
		Progress: func(int, int, *hive.Record) { cancel() },
	}, payloads)
	if !errors.Is(err, context.Canceled) || records[1] != nil {
		t.Fatalf("Map = %v, %v", records, err)
	}
	s, err := w.road.Stats(t.Context())
	if err != nil || s.Completed+s.Cancelled != 3 || s.Cancelled < 1 {
		t.Errorf("Stats = %+v, %v; want what was left behind cancelled", s, err)
	}
}

func TestCancelStopsTheSandbox(t *testing.T) {
	t.Parallel()
	_, c, _ := hiveOf(t, spore.Options{Name: "a", Slots: 1})
	id, err := c.Submit(t.Context(), guest("spin"))
	if err != nil {
		t.Fatal(err)
	}
	for state := hive.Pending; state != hive.Running; {
		r, err := c.Status(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		state = r.State
	}
	if was, err := c.Cancel(t.Context(), id); was != hive.Running || err != nil {
		t.Fatalf("Cancel = %s, %v", was, err)
	}
	// The only slot is free again: the next task runs.
	if r, err := c.Run(t.Context(), guest("echo next")); err != nil || r.State != hive.Completed {
		t.Errorf("next task: %v, %v", r, err)
	}
}

func TestTagsDecide(t *testing.T) {
	t.Parallel()
	_, c, _ := hiveOf(t, spore.Options{Name: "eu", Tags: hive.Tags{"zone": "eu"}}, spore.Options{Name: "us", Tags: hive.Tags{"zone": "us"}})
	for _, zone := range []string{"eu", "us", "eu"} {
		task := guest("echo x")
		var err error
		if task.Require, err = hive.ParseSelector("zone=" + zone + ",cores>=1"); err != nil {
			t.Fatal(err)
		}
		if r, err := c.Run(t.Context(), task); err != nil || r.Node != zone {
			t.Errorf("task for %s ran on %q, %v", zone, r.Node, err)
		}
	}
}

func TestNewSkillReachesRunningSpores(t *testing.T) {
	t.Parallel()
	w, c, _ := hiveOf(t, spore.Options{Name: "a"})
	w.register(func(m *hive.Manifest) { m.Version = "1.1.0" })
	r, err := c.Run(t.Context(), hive.Task{Skill: hive.SkillRef{Name: "guest", Pin: "1.1.0"}, Payload: []byte("echo x")})
	if err != nil || r.Ran.Version != "1.1.0" {
		t.Errorf("ran %v, %v", r.Ran, err)
	}
}

func TestManifestRequires(t *testing.T) {
	t.Parallel()
	w, c, _ := hiveOf(t, spore.Options{Name: "plain"}, spore.Options{Name: "special", Tags: hive.Tags{"special": "true"}})
	require, err := hive.ParseSelector("special=true")
	if err != nil {
		t.Fatal(err)
	}
	w.register(func(m *hive.Manifest) { m.Name, m.Requires = "picky", require })
	for range 4 {
		r, err := c.Run(t.Context(), hive.Task{Skill: hive.SkillRef{Name: "picky"}, Payload: []byte("echo x")})
		if err != nil || r.Node != "special" {
			t.Errorf("ran on %q, %v", r.Node, err)
		}
	}
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	w, c, _ := hiveOf(t, spore.Options{Name: "a"})
	w.register(func(m *hive.Manifest) {
		m.Name, m.Input, m.Output = "strict", []byte(`{"type":"string"}`), []byte(`{"type":"number"}`)
	})
	task := hive.Task{Skill: hive.SkillRef{Name: "strict", Pin: "1.0.0"}, Payload: []byte(`7`)}
	if _, err := c.Submit(t.Context(), task); err == nil || !strings.Contains(err.Error(), "want string") {
		t.Errorf("Submit against the schema = %v", err)
	}
	// Who does not ask the client is asked by the spore.
	task.ID, task.Retries = hive.NewID(), 3
	task = task.WithDefaults()
	if _, err := w.road.Enqueue(t.Context(), &task, ""); err != nil {
		t.Fatal(err)
	}
	r, err := c.Wait(t.Context(), task.ID)
	if err != nil || r.State != hive.Failed || r.Failure.Kind != hive.FailInput || r.Attempts != 1 || !strings.Contains(r.Failure.Message, "want string") {
		t.Errorf("a payload against its schema: %s %v, %v", r.State, r.Failure, err)
	}
	w.register(func(m *hive.Manifest) { m.Name, m.Output = "promises", []byte(`{"type":"number"}`) })
	r, err = c.Run(t.Context(), hive.Task{Skill: hive.SkillRef{Name: "promises"}, Payload: []byte("echo nothing")})
	if err != nil || r.State != hive.Failed || r.Failure.Kind != hive.FailResult || r.Attempts != 1 {
		t.Errorf("a result against its schema: %s %v, %v", r.State, r.Failure, err)
	}
}

func TestStopHandsBack(t *testing.T) {
	t.Parallel()
	w, c, spores := hiveOf(t, spore.Options{Name: "a", Slots: 1, Grace: time.Hour})
	id, err := c.Submit(t.Context(), guest("sleep 1h"))
	if err != nil {
		t.Fatal(err)
	}
	for running := false; !running; {
		r, err := c.Status(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		running = r.State == hive.Running
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel() // as a second signal does
	if err := spores[0].Stop(impatient); err != nil {
		t.Fatal(err)
	}
	r, err := c.Status(t.Context(), id)
	if err != nil || r.State != hive.Pending || r.Attempts != 1 || r.Failures != 0 {
		t.Fatalf("after Stop the task is %s, attempts %d, failures %d, %v; want pending, 1, 0", r.State, r.Attempts, r.Failures, err)
	}
	if nodes, err := w.road.Nodes(t.Context()); len(nodes) != 0 || err != nil {
		t.Errorf("Nodes = %v, %v, want none", nodes, err)
	}
}

// A spore that drains finishes what runs, hands back what is queued, and gets
// nothing more.
func TestDrain(t *testing.T) {
	t.Parallel()
	w, c, spores := hiveOf(t, spore.Options{Name: "a", Slots: 1, Prefetch: 2, Grace: spore.NoGrace})
	running, err := c.Submit(t.Context(), guest("sleep 1h"))
	if err != nil {
		t.Fatal(err)
	}
	awaitState(t, c, running, hive.Running)
	ids, err := c.SubmitMany(t.Context(), []hive.Task{guest("echo queued"), guest("echo queued")})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		awaitState(t, c, id, hive.Assigned)
	}
	if err := spores[0].Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		id, err := c.Submit(t.Context(), guest("echo later"))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	nodes, err := w.road.Nodes(t.Context())
	if err != nil || len(nodes) != 1 || !nodes[0].Draining {
		t.Fatalf("Nodes = %+v, %v", nodes, err)
	}
	w.start(spore.Options{Name: "b"})
	for _, id := range ids {
		if r, err := c.Wait(t.Context(), id); err != nil || r.Node != "b" || r.Attempts != 1 || r.Failures != 0 {
			t.Errorf("task %s ran on %q, attempt %d, %d failures, %v; want b, 1, 0", id, r.Node, r.Attempts, r.Failures, err)
		}
	}
	if r, err := c.Status(t.Context(), running); err != nil || r.State != hive.Running || r.Node != "a" {
		t.Errorf("what ran is %s on %q, %v; want running on a", r.State, r.Node, err)
	}
}

// awaitState polls until a task is in a state.
func awaitState(t *testing.T, c *client.Client, id string, want hive.State) {
	t.Helper()
	for {
		r, err := c.Status(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if r.State == want {
			return
		}
	}
}

func TestNameTaken(t *testing.T) {
	t.Parallel()
	w, _, _ := hiveOf(t, spore.Options{Name: "a"})
	second, err := spore.New(w.options(spore.Options{Name: "a"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(t.Context()); !errors.Is(err, hive.ErrTaken) {
		t.Errorf("a second spore of the same name: Start = %v, want %v", err, hive.ErrTaken)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		name   string
		mutate func(*spore.Options)
		want   string
	}{
		{"road", func(o *spore.Options) { o.Road = nil }, "road: missing"},
		{"bundles", func(o *spore.Options) { o.Bundles.Repository.State = "" }, "bundles: want"},
		{"root", func(o *spore.Options) { o.Bundles.Repository.Root = []byte("{}") }, "root"},
		{"name", func(o *spore.Options) { o.Name = "a b" }, "spore id"},
		{"slots", func(o *spore.Options) { o.Slots = -1 }, "slots -1"},
		{"prefetch", func(o *spore.Options) { o.Prefetch = -2 }, "prefetch -2"},
		{"grace", func(o *spore.Options) { o.Grace = -time.Second }, "grace -1s"},
		{"tags", func(o *spore.Options) { o.Tags = hive.Tags{"A": "b"} }, "tag key"},
	} {
		o := w.options(spore.Options{Name: "a"})
		test.mutate(&o)
		if _, err := spore.New(o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: New = %v, want %q", test.name, err, test.want)
		}
	}
}
