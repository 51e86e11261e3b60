package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Profile is what Redis a run has, and so what is promised.
type Profile string

// The profiles.
const (
	Process  Profile = "process"  // one Redis that writes each command to disk: nothing is lost
	Failover Profile = "failover" // a master, a replica and three sentinels: what was not replicated is lost
)

// Kind is what a fault does.
type Kind string

// The faults.
const (
	KillSpore   Kind = "kill -9 a spore"
	PauseSpore  Kind = "pause a spore past its lease"
	StopSpore   Kind = "SIGTERM to a spore"
	KillLeader  Kind = "kill -9 the leading nexus"
	KillOther   Kind = "kill -9 the other nexus"
	PauseLeader Kind = "pause the leading nexus"
	StopLeader  Kind = "SIGTERM to the leading nexus"
	Cut         Kind = "cut all connections"
	HoldClients Kind = "CLIENT PAUSE"

	StopRedis   Kind = "SHUTDOWN Redis"
	KillRedis   Kind = "kill -9 Redis"
	Latency     Kind = "latency"
	LoseReplies Kind = "lose replies"
	HalfOpen    Kind = "half-open connections"

	KillMaster   Kind = "kill -9 the master"
	KillAhead    Kind = "kill -9 the master, the replica cut off before"
	PauseMaster  Kind = "pause the master"
	KillReplica  Kind = "kill -9 the replica"
	PauseReplica Kind = "pause the replica"
	KillSentinel Kind = "kill -9 a sentinel"
)

// place is what a fault hurts: at most one fault at a time does.
type place int

const (
	aSpore place = iota
	aNexus
	theRoad
	nowhere // over at once, and possible at any time
)

// sort is a kind with where it strikes, how long it lasts, and how often it is drawn.
type sort struct {
	kind     Kind
	place    place
	min, max time.Duration
	after    time.Duration // until the place is whole again
	weight   int
}

const ms = time.Millisecond

// both are the sorts of either profile.
var both = []sort{
	{KillSpore, aSpore, 0, 4000 * ms, 1500 * ms, 6},
	{PauseSpore, aSpore, 6500 * ms, 11000 * ms, 1500 * ms, 4},
	{StopSpore, aSpore, 0, 1000 * ms, 3000 * ms, 3},
	{KillLeader, aNexus, 100 * ms, 5000 * ms, 1000 * ms, 4},
	{KillOther, aNexus, 100 * ms, 3000 * ms, 1000 * ms, 1},
	{PauseLeader, aNexus, 2500 * ms, 5000 * ms, 500 * ms, 3},
	{StopLeader, aNexus, 0, 1000 * ms, 1000 * ms, 1},
	{Cut, nowhere, 0, 0, 0, 1},
}

// sorts are those of each profile.
var sorts = map[Profile][]sort{
	Process: append([]sort{
		{StopRedis, theRoad, 0, 1500 * ms, 1000 * ms, 2},
		{KillRedis, theRoad, 0, 1500 * ms, 1000 * ms, 3},
		{Latency, theRoad, 1000 * ms, 3000 * ms, 0, 2},
		{LoseReplies, theRoad, 1000 * ms, 3000 * ms, 0, 4},
		{HalfOpen, theRoad, 1000 * ms, 4000 * ms, 0, 2},
		{HoldClients, theRoad, 300 * ms, 1500 * ms, 0, 2},
	}, both...),
	Failover: append([]sort{
		{KillMaster, theRoad, 100 * ms, 2000 * ms, 7000 * ms, 4},
		{KillAhead, theRoad, 100 * ms, 1000 * ms, 7000 * ms, 8},
		{PauseMaster, theRoad, 5000 * ms, 7000 * ms, 4000 * ms, 3},
		{KillReplica, theRoad, 100 * ms, 2000 * ms, 2000 * ms, 1},
		{PauseReplica, theRoad, 1000 * ms, 4000 * ms, 500 * ms, 2},
		{KillSentinel, theRoad, 1000 * ms, 4000 * ms, 500 * ms, 1},
		{HoldClients, theRoad, 300 * ms, 1500 * ms, 0, 1},
	}, both...),
}

// The processes of a hive that is hurt.
const (
	spores  = 3
	nexuses = 2
	// hurtSpores is how many are hurt at once at most: one goes on.
	hurtSpores = 2
)

// every is how often something breaks.
const every = time.Second

// Fault is one thing that breaks and is mended again.
type Fault struct {
	At   time.Duration // since the run began
	Kind Kind
	For  time.Duration // until it is mended
	On   int           // which spore, from 1, or how bad it is, 0..99
}

func (f Fault) String() string {
	text := fmt.Sprintf("%5.1fs  %s", f.At.Seconds(), f.Kind)
	switch f.Kind {
	case KillSpore, PauseSpore, StopSpore:
		text += fmt.Sprintf(" s%d", f.On)
	}
	if f.For > 0 {
		text += fmt.Sprintf(", for %.1fs", f.For.Seconds())
	}
	return text
}

// Schedule is what breaks in a run of some time, a fault every second: the same for the
// same seed. What a fault finds is another matter: programs run as fast as they do.
func Schedule(seed uint64, profile Profile, long time.Duration) (faults []Fault) {
	random := rand.New(rand.NewPCG(seed, 0))
	first := sorts[Failover][slices.IndexFunc(sorts[Failover], func(s sort) bool { return s.kind == KillAhead })]
	var whole [spores + 3]time.Duration // when each spore, a nexus and the road are whole again
	for at := every; at < long; at += every {
		s := draw(random, possible(profile, at, long, &whole))
		if profile == Failover && at == every {
			s = first // each run is to show what a failover loses
		}
		f := Fault{At: at, Kind: s.kind, On: random.IntN(100)}
		if most := min(s.max, max(s.min+ms, long-at)); s.max > 0 {
			f.For = (s.min + time.Duration(random.Int64N(int64(most-s.min)))).Round(10 * ms)
		}
		where := spores + int(s.place)
		if s.place == aSpore {
			f.On = freeSpore(random, at, &whole)
			where = f.On
		}
		whole[where-1] = at + f.For + s.after
		faults = append(faults, f)
	}
	return faults
}

// possible are the sorts whose place is whole, and that may be over when the run is.
func possible(profile Profile, at, long time.Duration, whole *[spores + 3]time.Duration) (all []sort) {
	hurt := 0
	for _, until := range whole[:spores] {
		if until > at {
			hurt++
		}
	}
	for _, s := range sorts[profile] {
		switch {
		case at+s.min > long:
		case s.place == aSpore && hurt >= hurtSpores:
		case s.place != aSpore && s.place != nowhere && whole[spores+int(s.place)-1] > at:
		default:
			all = append(all, s)
		}
	}
	return all
}

func draw(random *rand.Rand, all []sort) sort {
	total := 0
	for _, s := range all {
		total += s.weight
	}
	n := random.IntN(total)
	for _, s := range all {
		if n -= s.weight; n < 0 {
			return s
		}
	}
	panic("unreachable")
}

// freeSpore is the number of one that is whole, from 1.
func freeSpore(random *rand.Rand, at time.Duration, whole *[spores + 3]time.Duration) int {
	for {
		if n := random.IntN(spores); whole[n] <= at {
			return n + 1
		}
	}
}
