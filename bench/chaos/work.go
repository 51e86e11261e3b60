package chaos

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hive-spore/hive"
)

// work is a task with what becomes of it.
type work struct {
	hive.Task
	counts bool          // it leaves a key of its own
	spawns bool          // it has a child
	shares bool          // it adds to the key of all
	cancel bool          // the producer changes its mind
	waited bool          // the producer waits for it
	within time.Duration // its deadline, from when it is first submitted; 0: it has none
}

// fates are what tasks do, by how many of a hundred.
var fates = []struct {
	percent int
	make    func(w *work, random *rand.Rand) string
}{
	{35, func(*work, *rand.Rand) string { return "" }},
	{22, func(w *work, _ *rand.Rand) string { w.counts = true; return " count" }},
	{18, func(w *work, _ *rand.Rand) string { w.counts, w.spawns = true, true; return " count spawn" }},
	{4, func(w *work, _ *rand.Rand) string { w.counts, w.shares = true, true; return " count share" }},
	{5, func(w *work, random *rand.Rand) string {
		w.counts, w.spawns = true, true
		return fmt.Sprintf(" count spawn sleep=%d fail=%d", random.IntN(50), 1+random.IntN(2))
	}},
	{1, func(w *work, _ *rand.Rand) string {
		w.counts, w.spawns, w.Retries = true, true, 1
		return " count spawn fail=9"
	}},
	{1, func(w *work, _ *rand.Rand) string { w.counts, w.spawns = true, true; return " count spawn give-up" }},
	{1, func(w *work, _ *rand.Rand) string {
		w.counts, w.spawns, w.Retries, w.Timeout = true, true, 1, 300*ms
		return " count spawn sleep=2000"
	}},
	{6, func(w *work, random *rand.Rand) string {
		w.counts, w.spawns = true, true
		return fmt.Sprintf(" sleep=%d count spawn sleep=%d", random.IntN(400), random.IntN(400))
	}},
	{1, func(w *work, random *rand.Rand) string {
		w.counts = true
		return fmt.Sprintf(" count sleep=%d", 1000+random.IntN(5500)) // some longer than a lease
	}},
	{6, func(w *work, random *rand.Rand) string {
		w.counts, w.spawns, w.cancel = true, true, true
		return fmt.Sprintf(" count spawn sleep=%d", random.IntN(300))
	}},
}

// selectors are what tasks require of spores: most of them nothing.
var selectors = []string{"", "", "", "", "", "", "zone=a", "zone=b", "big=true"}

// tenants are on whose behalf tasks are done.
var tenants = []string{"", "", "a", "b", capped, rated}

// What the unique keys begin with: those that a task has until it is over, and those that it
// has for a time.
const (
	keyUntilOver = "own-"
	keyForTime   = "for-"
)

// draft is the nth task of a producer, always the same one.
func draft(seed uint64, producer, n int, server string) *work {
	random := rand.New(rand.NewPCG(seed, uint64(producer)<<32|uint64(n)))
	w := &work{waited: random.IntN(4) == 0}
	w.ID = fmt.Sprintf("p%d-%06d", producer, n)
	w.Skill = hive.SkillRef{Name: tally}
	w.Priority = hive.Priority(random.IntN(int(hive.MaxPriority) + 1))
	w.Require, _ = hive.ParseSelector(selectors[random.IntN(len(selectors))])
	w.Tenant = tenants[random.IntN(len(tenants))]
	text := ""
	if random.IntN(8) == 0 {
		text = "tell=" + server
	}
	dice := random.IntN(100)
	for _, f := range fates {
		if dice -= f.percent; dice < 0 {
			text += f.make(w, random)
			break
		}
	}
	if random.IntN(20) == 0 { // then it stands apart, and some have the same
		text += " long=" + strings.Repeat(strconv.Itoa(random.IntN(2)), hive.DefaultInline)
	}
	w.Payload = []byte(text)
	w.bind(random)
	return w
}

// bind gives some tasks a unique key out of few, and some a deadline. None that changes the
// key of all has a deadline: where its change meets another's, it goes on as an attempt of
// its own, whenever that is.
func (w *work) bind(random *rand.Rand) {
	switch dice := random.IntN(100); {
	case dice < 8:
		w.Unique = keyUntilOver + strconv.Itoa(random.IntN(4))
	case dice < 12:
		w.Unique = keyForTime + strconv.Itoa(random.IntN(4))
		w.UniqueFor = time.Duration(200+random.IntN(2800)) * ms
	}
	if !w.shares && random.IntN(12) == 0 {
		w.within = time.Duration(300+random.IntN(2700)) * ms
	}
}

// told is the server outside that attempts tell that they began.
type told struct {
	mu       sync.Mutex
	attempts []Attempt
}

func (t *told) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	if len(parts) != 3 {
		return
	}
	n, _ := strconv.Atoi(parts[2])
	t.mu.Lock()
	defer t.mu.Unlock()
	t.attempts = append(t.attempts, Attempt{parts[1], n})
}
