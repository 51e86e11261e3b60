package engine

import (
	"fmt"
	"time"

	"github.com/hive-spore/hive/bench/engine/work"
	"github.com/hive-spore/hive/bench/report"
)

const (
	killTable   = "Runaways: from the deadline of their call to its end."
	besideTable = "Tasks in C, alone and while a runaway goes on and is stopped, again and again."
	memoryTable = "Memory: what the process grows by for each idle instance that has done a task."
	memoryKB    = "KiB"
	fuelTable   = "Metering: µs of a function as it is; how many times that takes it metered, and with close on done."
	fuelPlain   = "as it is"
	fuelMetered = "metered"
	fuelClosing = "close on done"
	ofOurs      = "of ours"
)

func taskTable(guest string) string {
	return guest + ": µs per task. CPU: processor time at 1 core, the others: by the clock. 1000: at that GOGC; else at\n" +
		"Go's own. Of ours: the CPU as a multiple of ours, at the GOGC where that is less."
}

// column is the time by the clock at a setting.
func column(s work.Setting) string {
	name := fmt.Sprintf("%d core", s.Cores)
	if s.Cores > 1 {
		name += "s"
	}
	return at(name, s)
}

// cpu is the column of processor time at a setting.
func cpu(s work.Setting) string { return at("CPU", s) }

func at(name string, s work.Setting) string {
	if s.GOGC != work.Settings[0].GOGC {
		name += fmt.Sprintf(", %d", s.GOGC)
	}
	return name
}

// tasks measures a guest in one way.
func (s *suite) tasks(g guest, subject work.Subject) stage {
	order := work.Order{Kind: work.Tasks, Wasm: g.file, Native: g.native, Contract: g.contract, Subject: subject,
		Settings: work.Settings, Window: s.size.Window, Windows: s.size.Windows}
	return stage{g.name + ": " + string(subject), order, func(r work.Result) {
		var processor, clock []report.Figure
		for _, t := range r.Tasks {
			clock = append(clock, report.Figure{Column: column(t.Setting), Value: t.Micros})
			if t.Cores == 1 {
				processor = append(processor, report.Figure{Column: cpu(t.Setting), Value: t.CPU})
			}
		}
		s.report.Add(taskTable(g.name), string(subject), append(processor, clock...)...)
	}}
}

// metering measures all kernels of a file.
func (s *suite) metering(name, file string) stage {
	order := work.Order{Kind: work.Kernels, Wasm: file, Budget: s.size.Budget}
	rows := map[string]string{} // by function
	for _, k := range kernels {
		if k.file == file {
			order.Functions = append(order.Functions, k.function)
			rows[k.function] = kernelRow(k.name, k.does)
		}
	}
	return stage{name + ": metering", order, func(r work.Result) {
		for _, k := range r.Kernels {
			s.report.Add(fuelTable, rows[k.Name], report.Figure{Column: fuelPlain, Value: k.Micros},
				report.Figure{Column: fuelMetered, Value: k.Metered}, report.Figure{Column: fuelClosing, Value: k.Closing})
		}
	}}
}

func kernelRow(name, does string) string { return name + ": " + does }

// killing measures how a runaway is stopped.
func (s *suite) killing(name, file string, limit time.Duration) stage {
	order := work.Order{Kind: work.Kills, Wasm: file, Beside: guests[0].file, Kills: s.size.Kills, Limit: limit}
	return stage{name + ": runaways", order, func(r work.Result) {
		for _, k := range r.Kills {
			row := runawayRow(name, k.Pace)
			s.report.Add(killTable, row, times("ms", 1000, k.Late)...)
			s.report.Add(besideTable, alone(row), times("µs", 1, k.Alone)...)
			s.report.Add(besideTable, beside(row), times("µs", 1, k.Beside)...)
		}
	}}
}

func times(unit string, micros float64, t work.Times) []report.Figure {
	return []report.Figure{{Column: "p50 " + unit, Value: t.P50 / micros},
		{Column: "p99 " + unit, Value: t.P99 / micros}, {Column: "max " + unit, Value: t.Max / micros}}
}

func runawayRow(name string, pace work.Pace) string { return name + ", " + string(pace) }

func alone(row string) string  { return row + ": alone" }
func beside(row string) string { return row + ": beside a runaway" }

// memory measures idle instances: of ours, or of wazero as it is.
func (s *suite) memory(name, file string, subject work.Subject) stage {
	order := work.Order{Kind: work.Memory, Wasm: file, Contract: work.Reactor, Subject: subject, Instances: s.size.Instances}
	return stage{name + ": memory of " + memoryRow("", subject), order, func(r work.Result) {
		s.report.Add(memoryTable, memoryRow(name+": ", subject), report.Figure{Column: memoryKB, Value: r.Memory})
	}}
}

func memoryRow(prefix string, subject work.Subject) string {
	if subject == work.Warm {
		return prefix + "plain wazero"
	}
	return prefix + string(subject)
}
