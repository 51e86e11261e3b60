package cli

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// figures are what nexus bench found, as --json shows it. A share is 0 to 1; what is null
// is not known.
type figures struct {
	Skill        string `json:"skill"`
	Road         string `json:"road"`
	PayloadBytes int    `json:"payload_bytes"`

	// One task after the other. The mean is divided; what is left after waiting and the
	// sandbox is the rest.
	IdleTasks   int    `json:"idle_tasks"`
	IdleP50     micros `json:"idle_p50_us"`
	IdleP99     micros `json:"idle_p99_us"`
	IdleMean    micros `json:"idle_mean_us"`
	IdleSubmit  micros `json:"idle_submit_us"` // until Redis had it
	IdleWait    micros `json:"idle_wait_us"`   // until a spore held it
	IdleSandbox micros `json:"idle_sandbox_us"`
	IdleRest    micros `json:"idle_rest_us"`

	// All at once. Rate and times are of those that completed.
	Tasks        int     `json:"tasks"`
	Completed    int     `json:"completed"`
	Failed       int     `json:"failed"`
	FirstFailure string  `json:"first_failure"`
	Elapsed      micros  `json:"elapsed_us"`
	EnqueueRate  float64 `json:"enqueued_per_s"`
	Rate         float64 `json:"tasks_per_s"`
	P50          micros  `json:"p50_us"` // from the begin to a result
	P99          micros  `json:"p99_us"`
	Sandbox      micros  `json:"sandbox_us"`

	// What the parts of the hive did then.
	Redis       *redisFigures  `json:"redis"`
	RedisUntold string         `json:"redis_untold"` // why that is null
	Spores      int            `json:"spores"`
	Slots       int            `json:"slots"`
	SlotsShare  *float64       `json:"slots_held_share"` // for which a spore holds a task
	SporesShare *float64       `json:"spores_cpu_share"` // of all processors of their machines
	Client      *clientFigures `json:"client"`
	RoundTrip   micros         `json:"round_trip_us"`
	OtherTasks  int64          `json:"other_tasks"`
	Lost        string         `json:"lost"` // what was not there all the time

	Verdict string `json:"verdict"`
	Do      string `json:"do"`
}

// redisFigures are of all that its server did, per task that was over.
type redisFigures struct {
	Share    float64 `json:"cpu_share"` // of one core: by the thread that carries out commands, if that is known
	CPU      micros  `json:"cpu_us_per_task"`
	Commands float64 `json:"commands_per_task"`
	Requests float64 `json:"requests_per_task"`
}

// clientFigures are of this process.
type clientFigures struct {
	Cores int     `json:"cores"`
	Share float64 `json:"cpu_share"` // of all cores
	CPU   micros  `json:"cpu_us_per_task"`
}

// micros is a time that JSON shows in microseconds.
type micros time.Duration

// MarshalJSON keeps one digit after the point.
func (m micros) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, round(float64(m)/1e3, 1), 'f', -1, 64), nil
}

func (m micros) String() string {
	switch d := time.Duration(m); {
	case d < 100*time.Microsecond:
		return fmt.Sprintf("%.0f µs", float64(d)/1e3)
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.1f s", time.Duration(m).Seconds())
}

// round keeps so many digits after the point.
func round(x float64, digits int) float64 {
	unit := math.Pow10(digits)
	return math.Round(x*unit) / unit
}

func perSecond(n int, d time.Duration) float64 {
	r := float64(n) / max(d, time.Microsecond).Seconds()
	if r >= 100 {
		return round(r, 0)
	}
	return round(r, 2)
}

// quantile is the time that a share of some did not exceed; 0 of none.
func quantile(some []time.Duration, share float64) micros {
	if len(some) == 0 {
		return 0
	}
	some = slices.Sorted(slices.Values(some))
	return micros(some[max(0, int(math.Ceil(share*float64(len(some))))-1)])
}

func (f *figures) tellIdle(done []single) {
	whole := make([]time.Duration, len(done))
	var sum single
	for i, s := range done {
		whole[i] = s.whole
		sum.acked, sum.whole, sum.waited, sum.sandbox = sum.acked+s.acked, sum.whole+s.whole, sum.waited+s.waited, sum.sandbox+s.sandbox
	}
	n := micros(len(done))
	f.IdleTasks, f.IdleP50, f.IdleP99, f.IdleMean = len(done), quantile(whole, 0.5), quantile(whole, 0.99), micros(sum.whole)/n
	f.IdleSubmit, f.IdleWait, f.IdleSandbox = micros(sum.acked)/n, micros(sum.waited)/n, micros(sum.sandbox)/n
	f.IdleRest = max(0, f.IdleMean-f.IdleWait-f.IdleSandbox)
}

func (f *figures) tellFull(run *fullRun) {
	f.Completed, f.Failed, f.FirstFailure = len(run.completed), run.failed, run.failure
	f.Tasks, f.Elapsed = f.Completed+f.Failed, micros(run.took)
	f.EnqueueRate, f.Rate = perSecond(run.submitted, run.acked), perSecond(f.Completed, run.took)
	f.P50, f.P99 = quantile(run.completed, 0.5), quantile(run.completed, 0.99)
	if f.Completed > 0 {
		f.Sandbox = micros(run.sandbox) / micros(f.Completed)
	}
}

// holds is for how long each task took a slot; false if that is not known.
func (f *figures) holds() (micros, bool) {
	if f.SlotsShare == nil || f.Completed == 0 {
		return 0, false
	}
	return micros(*f.SlotsShare * float64(f.Slots) * float64(f.Elapsed) / float64(f.Tasks)), true
}

// showFigures prints a table that ends in the verdict.
func (a *app) showFigures(f *figures) error {
	if a.flags.json {
		return printJSON(a.Out, f)
	}
	err := table(a.Out, nil, append(f.rows(), f.partRows()...))
	_, errVerdict := fmt.Fprintf(a.Out, "\n%s\n", wrap(safe(f.Verdict)+" "+safe(f.Do), cmp.Or(width(a.Out), 100)))
	if f.OtherTasks > 0 {
		a.say("the hive was not idle: %s ran beside these, and the figures include what they took", plural(int(f.OtherTasks), "other task"))
	}
	if f.Elapsed < micros(time.Second) {
		more := "more --tasks make"
		if f.Tasks >= benchMost {
			more = "a second nexus bench beside it makes"
		}
		a.say("hint: it was over in %s: %s it surer", f.Elapsed, more)
	}
	return errors.Join(err, errVerdict)
}

func (f *figures) rows() [][]string {
	wait := f.IdleWait.String()
	if f.IdleTasks < 20 && f.IdleWait < micros(time.Millisecond) {
		wait = "< 1 ms" // Redis' clock counts them, and these are too few for a mean
	}
	rows := [][]string{
		{"idle", fmt.Sprintf("%s p50, %s p99 of %s", f.IdleP50, f.IdleP99, plural(f.IdleTasks, "task"))},
		{"  submit", fmt.Sprintf("%s until Redis had it", f.IdleSubmit)},
		{"  mean", fmt.Sprintf("%s, of which", f.IdleMean)},
		{"  wait", wait + " until a spore held it"},
		{"  sandbox", f.IdleSandbox.String()},
		{"  rest", fmt.Sprintf("%s there and back", f.IdleRest)},
		{"enqueue", fmt.Sprintf("%v tasks/s, many at once", f.EnqueueRate)},
		{"full rate", fmt.Sprintf("%v tasks/s: %d in %s", f.Rate, f.Completed, f.Elapsed)},
	}
	if f.Failed > 0 {
		rows = append(rows, []string{"  failed", plural(f.Failed, "task")})
	}
	return append(rows, []string{"  results", fmt.Sprintf("half after %s, 99 %% after %s", f.P50, f.P99)}, []string{"  sandbox", f.Sandbox.String() + " a task"})
}

// partRows are what the parts of the hive did at the full rate.
func (f *figures) partRows() [][]string {
	slots, spores := plural(f.Slots, "slot"), plural(f.Spores, "spore")+", "
	if d, known := f.holds(); known {
		slots += fmt.Sprintf(", %s with a task, %s each", percent(*f.SlotsShare), d)
	} else {
		slots += ", how many had a task is not known: over too soon"
	}
	if f.SporesShare == nil {
		spores += "processors not known: over too soon"
	} else {
		spores += percent(*f.SporesShare) + " of the processors there"
	}
	rows := [][]string{{"  slots", slots}, {"  spores", spores}}
	if r := f.Redis; r != nil {
		rows = append(rows, []string{"  redis", fmt.Sprintf("%s of one core, %s a task", percent(r.Share), r.CPU)},
			[]string{" ", fmt.Sprintf("%.1f commands, %.1f requests a task", r.Commands, r.Requests)})
	} else {
		rows = append(rows, []string{"  redis", "not known: " + f.RedisUntold})
	}
	client := "not known here"
	if c := f.Client; c != nil {
		client = fmt.Sprintf("%s of its %s, %s a task", percent(c.Share), plural(c.Cores, "core"), c.CPU)
	}
	return append(rows, []string{"  client", client}, []string{"round trip", f.RoundTrip.String() + " to Redis and back"})
}

// From here on a part counts as at its limit. No part is ever at all of it: between two
// looks it waits for others.
const (
	redisFull  = 0.85 // of one core
	sporesFull = 0.90 // of all processors
	slotsFull  = 0.90
	clientFull = 0.90 // of all cores
	farAway    = micros(2 * time.Millisecond)
)

// judge says what limits the rate, and what to do about it. What keeps others waiting
// comes first: slots have a task, too, while Redis or a processor lets them wait.
func (f *figures) judge() (verdict, do string) {
	switch {
	case f.Failed > 0:
		return fmt.Sprintf("No verdict: %d of %s failed, the first: %s.", f.Failed, plural(f.Tasks, "task"), f.FirstFailure),
			"Choose a skill and a --payload of which none does."
	case f.Lost != "":
		return "No verdict: the tasks could not run all the time: " + f.Lost + ".", "Run it again."
	case f.Redis != nil && f.Redis.Share >= redisFull:
		return fmt.Sprintf("Redis is the limit: %s of one core, %s a task.", percent(f.Redis.Share), f.Redis.CPU),
			"A faster core takes more; so do more slots a spore, which fetch and complete more tasks by one request (docs/sizing.md)."
	case f.SporesShare != nil && *f.SporesShare >= sporesFull:
		return fmt.Sprintf("The spores' processors are the limit: %s of them in use, by all that runs there; a task takes %s in its sandbox.", percent(*f.SporesShare), f.Sandbox),
			"Spores on more machines take more (docs/sizing.md)."
	case f.SlotsShare != nil && *f.SlotsShare >= slotsFull:
		return f.judgeSlots()
	case f.Client != nil && f.Client.Share >= clientFull:
		return fmt.Sprintf("This client is the limit: %s of its %s.", percent(f.Client.Share), plural(f.Client.Cores, "core")),
			"Run it on another machine, or several at once."
	case f.RoundTrip >= farAway:
		return f.farVerdict()
	}
	return f.judgeNothing()
}

func (f *figures) farVerdict() (verdict, do string) {
	return fmt.Sprintf("The network is the limit: a round trip to Redis takes %s.", f.RoundTrip),
		"Bring it nearer; until then more slots a spore have more tasks under way at once (docs/sizing.md)."
}

// judgeSlots is about slots for which there is a task nearly all the time, be it that it
// runs or that they wait for the road.
func (f *figures) judgeSlots() (verdict, do string) {
	held, _ := f.holds()
	if f.onTheWay() && f.RoundTrip >= farAway {
		return f.farVerdict()
	}
	verdict = fmt.Sprintf("The slots are the limit: %s, %s with a task; a task held one for %s, %s of it in its sandbox.",
		plural(f.Slots, "slot"), percent(*f.SlotsShare), held, f.Sandbox)
	if f.onTheWay() {
		return verdict, moreSlots
	}
	return verdict, "More slots a spore (--slots) if its processors have room, else more spores (docs/sizing.md)."
}

// onTheWay reports whether slots are taken for longer by the way to Redis and back than
// by what runs in them.
func (f *figures) onTheWay() bool {
	held, known := f.holds()
	return known && f.Sandbox < held/2
}

const moreSlots = "More slots a spore (--slots) cost little: most of the time they wait for the road (docs/sizing.md)."

func (f *figures) judgeNothing() (verdict, do string) {
	var known, unknown []string
	tell := func(what string, share *float64) {
		if share == nil {
			unknown = append(unknown, what)
		} else {
			known = append(known, what+" "+percent(*share))
		}
	}
	var redis, client *float64
	if f.Redis != nil {
		redis = &f.Redis.Share
	}
	if f.Client != nil {
		client = &f.Client.Share
	}
	tell("Redis", redis)
	tell("slots", f.SlotsShare)
	tell("the spores' processors", f.SporesShare)
	tell("this client", client)
	verdict = "Nothing is at its limit: " + strings.Join(known, ", ") + "."
	if len(known) == 0 {
		verdict = "Nothing is known of: " + strings.Join(unknown, ", ") + "."
	} else if len(unknown) > 0 {
		verdict = "Nothing that is known is at its limit: " + strings.Join(known, ", ") + "; not known: " + strings.Join(unknown, ", ") + "."
	}
	if f.onTheWay() {
		return verdict, moreSlots
	}
	if f.Tasks >= benchMost {
		return verdict, "A second nexus bench beside this one brings it nearer to its limit (docs/sizing.md)."
	}
	return verdict, "More --tasks, or a second nexus bench beside this one, bring it nearer to its limit (docs/sizing.md)."
}
