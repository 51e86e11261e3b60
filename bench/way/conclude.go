package way

import "github.com/hive-spore/hive/bench/rig"

// conclude puts ratios between figures into words.
func (s *suite) conclude() {
	r := s.report
	rate := func(skill string, setup rig.Setup) float64 {
		return r.Value(rateTable, rateRow(skill, setup), rateColumn)
	}
	r.Find("full rate: 3 spores do %.2f times the wordcounts of 1", rate(rig.Wordcount, three), rate(rig.Wordcount, one))
	r.Find("full rate: 3 spores do %.2f times the noops of 1", rate(rig.Noop, three), rate(rig.Noop, one))
	r.Find("full rate: 1 spore of 100 slots does %.2f times the noops of 1 of the default", rate(rig.Noop, wide), rate(rig.Noop, one))
	r.Find("full rate: 3 spores do %.1f times as many noops as wordcounts", rate(rig.Noop, three), rate(rig.Wordcount, three))

	idle := func(skill string) float64 { return r.Value(idleTable, rateRow(skill, one), "p50 ms") }
	r.Find("idle: wordcount takes %.1f times the median of noop", idle(rig.Wordcount), idle(rig.Noop))

	memory := func(waited bool) float64 { return r.Value(memoryTable, bulkRow(s.size.Tasks, waited), memoryColumn) }
	r.Find("memory: a queued task takes %.2f times as much when a client waits for it", memory(true), memory(false))
}
