package engine

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/hive-spore/hive/bench/engine/work"
	"github.com/hive-spore/hive/bench/report"
)

// The settings that targets are judged at: ours alone as a spore runs it, peers
// where they come off best.
var (
	forOurs  = work.Settings[0]
	forPeers = []work.Setting{{Cores: 1, GOGC: 100}, {Cores: 1, GOGC: 1000}}
)

// conclude judges the targets and puts other ratios into words.
func (s *suite) conclude() {
	s.compare()
	s.judgeWarm()
	s.judgePeers()
	s.judgeFuel()
	s.judgeKills()
	s.judgeScale()
	s.find()
}

func (s *suite) task(guest string, subject work.Subject, column string) float64 {
	return s.report.Value(taskTable(guest), string(subject), column)
}

// over is how many times longer than ours a peer takes, by processor time and by
// the clock: the lower one of its settings. 0: either was not measured.
func (s *suite) over(guest string, peer work.Subject, ownGuest string) (times, clock float64) {
	for _, setting := range forPeers {
		ours, it := s.task(ownGuest, work.Ours, cpu(setting)), s.task(guest, peer, cpu(setting))
		if ours > 0 && it > 0 && (times == 0 || it/ours < times) {
			times = it / ours
			clock = s.task(guest, peer, column(setting)) / s.task(ownGuest, work.Ours, column(setting))
		}
	}
	return times, clock
}

// compare adds to each way to run a guest how many times longer than ours it takes.
func (s *suite) compare() {
	for _, g := range guests {
		for _, subject := range subjects[g.contract] {
			if times, _ := s.over(g.name, subject, g.name); times > 0 {
				s.report.Add(taskTable(g.name), string(subject), report.Figure{Column: ofOurs, Value: times})
			}
		}
	}
}

// judgeWarm compares ours with an instance that is not restored and not metered.
func (s *suite) judgeWarm() {
	const most, mostOfGo = 1.5, 1.5 // µs; times
	for _, guest := range []string{"C", "Rust", "AssemblyScript", "Go"} {
		warm, ours := s.task(guest, work.Warm, cpu(forOurs)), s.task(guest, work.Ours, cpu(forOurs))
		clock := [2]float64{s.task(guest, work.Warm, column(forOurs)), s.task(guest, work.Ours, column(forOurs))}
		switch {
		case math.IsNaN(warm) || math.IsNaN(ours): // not measured
		case guest == "Go":
			s.report.AtMost("Go: over a warm call", ours/warm, mostOfGo, "×")
			s.report.ByTheClock(clock[1] / clock[0])
		default:
			s.report.AtMost(guest+": over a warm call", ours-warm, most, " µs")
			s.report.ByTheClock(clock[1] - clock[0])
		}
	}
}

// peerTargets say how many times longer a peer takes, at least.
var peerTargets = []struct {
	guest  string
	peer   work.Subject
	target float64
}{
	{"C", work.Plain, 10},
	{"AssemblyScript", work.Plain, 5},
	{"Go", work.Plain, 100},
	{"Extism plugin in C", work.Extism, 50},
	{"C", work.Wasmtime, 15},
	{"Go", work.Wasmtime, 20},
}

func (s *suite) judgePeers() {
	for _, t := range peerTargets {
		times, clock := s.over(t.guest, t.peer, t.guest)
		if times == 0 && t.peer == work.Extism {
			times, clock = s.over(t.guest, t.peer, "C") // plugins are refused: the same job as a reactor
		}
		if times > 0 {
			s.report.AtLeast(t.guest+": against "+string(t.peer), times, t.target, "×")
			s.report.ByTheClock(clock)
		}
	}
}

// judgeFuel judges the worst kernel of either sort.
func (s *suite) judgeFuel() {
	const mostReal, mostTight = 1.3, 2.1
	worst := func(functions ...string) (row string, times float64) {
		for _, k := range kernels {
			name := kernelRow(k.name, k.does)
			if v := s.report.Value(fuelTable, name, fuelMetered); slices.Contains(functions, k.function) && v > times {
				row, times = name, v
			}
		}
		return row, times
	}
	if row, times := worst("sha256", "json", "sort", "regex"); times > 0 {
		s.report.AtMost("metering, worst real kernel ("+row+")", times, mostReal, "×")
	}
	if row, times := worst("loop", "recursion"); times > 0 {
		s.report.AtMost("metering, worst tight loop ("+row+")", times, mostTight, "×")
	}
}

func (s *suite) judgeKills() {
	const most, mostBeside = 10, 2 // ms; times
	for _, runaway := range []string{"C", "Go"} {
		for _, pace := range []work.Pace{work.Calm, work.Busy} {
			row := runawayRow(runaway, pace)
			s.report.AtMost("runaway stopped, p99: "+row, s.report.Value(killTable, row, "p99 ms"), most, " ms")
			before, after := s.report.Value(besideTable, alone(row), "p99 µs"), s.report.Value(besideTable, beside(row), "p99 µs")
			if pace == work.Calm {
				s.report.AtMost("p99 of tasks, beside over alone: "+row, after/before, mostBeside, "×")
			}
		}
	}
}

func (s *suite) judgeScale() {
	const least = 1.8
	for _, g := range guests {
		one, two := s.task(g.name, work.Ours, column(forOurs)), s.task(g.name, work.Ours, column(work.Setting{Cores: 2, GOGC: forOurs.GOGC}))
		s.report.AtLeast(g.name+": 2 cores over 1", one/two, least, "×")
	}
}

func (s *suite) find() {
	r := s.report
	for _, guest := range []string{"C", "Go"} {
		r.Find("memory: an idle instance in "+guest+" of plain wazero takes %.1f times as much as one of ours",
			r.Value(memoryTable, memoryRow(guest+": ", work.Warm), memoryKB), r.Value(memoryTable, memoryRow(guest+": ", work.Ours), memoryKB))
	}
	for _, mode := range slices.Sorted(maps.Keys(s.modes)) {
		r.Findings = append(r.Findings, fmt.Sprintf("ours keeps attempts apart by mode %q: %s", mode, strings.Join(s.modes[mode], "; ")))
	}
	for _, text := range s.skipped {
		r.Findings = append(r.Findings, "not measured: "+text)
	}
}
