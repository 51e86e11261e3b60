package hive

// State is where a task stands.
type State string

// The states of a task. Completed, Failed and Cancelled are final, but a failed
// task (the dead-letter list) can be retried by hand.
const (
	Scheduled State = "scheduled" // waits for its time: a delay or a retry
	Blocked   State = "blocked"   // waits for its parents
	Pending   State = "pending"   // in a lane, waits for the foreman
	Assigned  State = "assigned"  // in a spore's queue
	Running   State = "running"   // an attempt holds a lease
	Completed State = "completed"
	Failed    State = "failed" // retries used up: the dead-letter list
	Cancelled State = "cancelled"
)

// States lists every state in the order a task meets them.
var States = []State{Scheduled, Blocked, Pending, Assigned, Running, Completed, Failed, Cancelled}

// Final reports whether a task in this state is over.
func (s State) Final() bool { return s == Completed || s == Failed || s == Cancelled }

// Event is what moves a task from one state to another. Each is one script and
// one method of the broker.
type Event string

// The events of a task.
const (
	EventEnqueue  Event = "enqueue"
	EventAssign   Event = "assign"
	EventFetch    Event = "fetch"
	EventComplete Event = "complete"
	EventFail     Event = "fail"
	EventRelease  Event = "release"
	EventReclaim  Event = "reclaim"
	EventPromote  Event = "promote"
	EventLapse    Event = "lapse"
	EventCancel   Event = "cancel"
	EventRetry    Event = "retry"
	EventUnblock  Event = "unblock"
)

// Transition is one legal change. From is empty for a task that is new.
type Transition struct {
	Event    Event
	From, To State
}

// Transitions is the one table of legal changes; docs/state-machine.md draws it.
var Transitions = []Transition{
	{EventEnqueue, "", Pending},
	{EventEnqueue, "", Scheduled},
	{EventEnqueue, "", Blocked},
	{EventAssign, Pending, Assigned},
	{EventFetch, Assigned, Running},
	{EventComplete, Running, Completed},
	{EventFail, Running, Scheduled},
	{EventFail, Running, Failed},
	{EventRelease, Assigned, Pending},
	{EventRelease, Running, Pending},
	{EventReclaim, Assigned, Pending},
	{EventReclaim, Running, Pending},
	{EventReclaim, Running, Failed},
	{EventPromote, Scheduled, Pending},
	{EventLapse, Scheduled, Failed},
	{EventLapse, Pending, Failed},
	{EventLapse, Assigned, Failed},
	{EventCancel, Scheduled, Cancelled},
	{EventCancel, Blocked, Cancelled},
	{EventCancel, Pending, Cancelled},
	{EventCancel, Assigned, Cancelled},
	{EventCancel, Running, Cancelled},
	{EventRetry, Failed, Pending},
	{EventUnblock, Blocked, Pending},
	{EventUnblock, Blocked, Cancelled},
}

// CanMove reports whether event may take a task from one state to another.
func CanMove(event Event, from, to State) bool {
	for _, t := range Transitions {
		if t == (Transition{event, from, to}) {
			return true
		}
	}
	return false
}
