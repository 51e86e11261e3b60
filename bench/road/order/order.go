// Package order is what the benchmark of the road and the programs it drives say to
// each other: a line of JSON for each order, and one or more for its answer. The
// programs are clients and workers of The Hive and of its peers; bullmq/party.mjs
// speaks it too.
package order

// Verb is what a program is to do.
type Verb string

// The verbs. A program does one order after the other, but for Work, which goes on.
const (
	Serve   Verb = "serve"   // be the server, and answer with its URL; NATS only
	Enqueue Verb = "enqueue" // tasks, by callers at once or in bulk
	Work    Verb = "work"    // handle tasks; see Answer
	Call    Verb = "call"    // one task at a time, each until it is done
	Map     Verb = "map"     // all tasks, and their results, by one call
	Hops    Verb = "hops"    // as Call, and be the spore as well
	Check   Verb = "check"   // that all tasks enqueued here are done, and how
)

// Order is one order.
type Order struct {
	Do    Verb   `json:"do"`
	Redis string `json:"redis,omitempty"` // path of its socket, or host:port
	NATS  string `json:"nats,omitempty"`  // URL
	Dir   string `json:"dir,omitempty"`   // where a server keeps its files

	Tasks     int    `json:"tasks,omitempty"`
	Skip      int    `json:"skip,omitempty"` // of them the first, which are to warm up
	Callers   int    `json:"callers,omitempty"`
	Bulk      int    `json:"bulk,omitempty"`      // tasks in a call; 0: one
	Skill     string `json:"skill,omitempty"`     // ours only
	Result    bool   `json:"result,omitempty"`    // is kept
	Slots     int    `json:"slots,omitempty"`     // attempts at once
	Every     int    `json:"every,omitempty"`     // ms: look for tasks so often where one must look
	Lags      bool   `json:"lags,omitempty"`      // take the time from before a task was enqueued to its handler
	Sandboxed bool   `json:"sandboxed,omitempty"` // results are those of the job
}

// Answer is one line of an answer. Work is answered by three: when the worker has begun,
// when it has handled Skip tasks, and when it has handled Tasks.
type Answer struct {
	Error string `json:"error,omitempty"`
	URL   string `json:"url,omitempty"`

	Begun  int64   `json:"begun,omitempty"`  // µs since 1970: of the first call
	At     int64   `json:"at,omitempty"`     // likewise: of the last one, or of the handler that the line is about
	CPU    float64 `json:"cpu,omitempty"`    // µs of processor time that it took
	Memory float64 `json:"memory,omitempty"` // bytes the program has held at most

	// Quantiles in µs: of calls, or from before a task was enqueued to its handler.
	P50 float64 `json:"p50,omitempty"`
	P99 float64 `json:"p99,omitempty"`

	Hops map[string][2]float64 `json:"hops,omitempty"` // p50 and p99 since before Enqueue, in µs
}

// Queue is what peers call the queue they use.
const Queue = "road"

// PayloadSize is that of every payload, in bytes.
const PayloadSize = 200
