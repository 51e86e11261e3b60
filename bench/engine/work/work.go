// Package work is what the benchmark of the engine and its workers, a process
// for every measurement, say to each other.
package work

import "time"

// Subject is one way to run a task.
type Subject string

// The subjects. "Fresh" is an instance for every task.
const (
	Ours        Subject = "ours"
	OursFresh   Subject = "ours, fresh"
	Warm        Subject = "warm call, no isolation"
	WarmMetered Subject = "warm call, metered"
	Plain       Subject = "plain wazero, fresh"
	PlainClose  Subject = "plain wazero, fresh, close on done"
	Extism      Subject = "Extism Go SDK, fresh"
	Wasmtime    Subject = "wasmtime-go, fresh"
	Exec        Subject = "fork and exec, native"
)

// Kind is what a worker measures.
type Kind string

// The kinds of measurements.
const (
	Tasks   Kind = "tasks"   // time per task
	Kernels Kind = "kernels" // what metering costs
	Kills   Kind = "kills"   // how long a runaway guest goes on
	Memory  Kind = "memory"  // what an idle instance takes
)

// Contract is how a guest is called.
type Contract string

// The contracts of guests.
const (
	Reactor Contract = "reactor" // hive_run
	Command Contract = "command" // _start
	Plugin  Contract = "plugin"  // Extism's: run
)

// Order is one measurement. Each kind has fields of its own beside the
// first ones.
type Order struct {
	Kind    Kind
	Wasm    string // path
	Cache   string // directory for what peers compiled
	Scratch string // directory for what our engine compiled

	// Tasks, and Memory but for the settings.
	Subject  Subject
	Contract Contract
	Native   string // path of the program that does the same
	Settings []Setting
	Window   time.Duration
	Windows  int

	// Kernels.
	Functions []string
	Budget    time.Duration // for each of them

	// Kills: of the guest Wasm, while others run Beside.
	Beside string
	Kills  int
	Limit  time.Duration // after which a runaway is stopped

	// Memory: a reactor that calls meet of the module bench before it ends.
	Instances int
}

// Setting is what a process is given.
type Setting struct {
	Cores int
	GOGC  int
}

// Settings are the ones that tasks are measured at. The first GOGC is Go's
// default.
var Settings = []Setting{{1, 100}, {2, 100}, {1, 1000}, {2, 1000}}

// Result answers an Order.
type Result struct {
	Unsupported string // why the subject cannot run the guest; then there is nothing else

	Tasks   []Task
	Kernels []Kernel
	Kills   []Killing
	Memory  float64 // KiB per idle instance
	Mode    string  // ours: how attempts are kept apart
}

// Task is the median of a setting's windows.
type Task struct {
	Setting
	Micros float64 // from one task's end to the next one's
	CPU    float64 // processor time in µs per task
}

// Kernel is the medians of a function's times.
type Kernel struct {
	Name             string
	Micros           float64 // as it is
	Metered, Closing float64 // times that
}

// Pace is how the tasks beside a runaway come.
type Pace string

// The paces. A spore is between the two: it waits for the network between any
// two attempts of a slot.
const (
	Calm Pace = "a task every ms"
	Busy Pace = "tasks without a pause"
)

// Killing is what runaways took, and the tasks beside them, at one pace.
type Killing struct {
	Pace   Pace
	Late   Times // from the deadline of a runaway's call to its end
	Alone  Times // a task while nothing else runs
	Beside Times // a task while a runaway goes on
}

// Times are in µs.
type Times struct{ P50, P99, Max float64 }

// Example is a payload and the result that every guest has to answer.
type Example struct{ Payload, Result []byte }

// Examples are all of nearly one size.
var Examples = []Example{
	{[]byte(`{"a":20,"b":22,"name":"bee"}`), []byte(`{"sum":42,"product":440,"hello":"bee"}`)},
	{[]byte(`{"name":"a \"b\"","b":-3,"a":7}`), []byte(`{"sum":4,"product":-21,"hello":"a \"b\""}`)},
	{[]byte(` { "a" : 1000000 , "name":"hive", "b":1 }`), []byte(`{"sum":1000001,"product":1000000,"hello":"hive"}`)},
}

// Wrong is a payload that every guest has to fail on.
var Wrong = []byte(`{"a":20,"b":`)
