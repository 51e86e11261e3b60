package spore

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hive-spore/hive"
)

// metrics are what a spore counts, for Prometheus. Labels name skills and kinds
// of outcome, never a task.
type metrics struct {
	registry *prometheus.Registry
	attempts *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	fuel     *prometheus.CounterVec
	denied   *prometheus.CounterVec
	commands *prometheus.CounterVec
}

// completed is the outcome of an attempt that did not fail; the others are kinds
// of failure.
const completed = "completed"

var (
	slotsDesc = prometheus.NewDesc("hive_slots", "Attempts that may run at once.", nil, nil)
	busyDesc  = prometheus.NewDesc("hive_slots_busy", "Attempts that run.", nil, nil)
	heldDesc  = prometheus.NewDesc("hive_sandbox_bytes", "Memory of the sandboxes that are kept from attempt to attempt.", nil, nil)
	skillDesc = prometheus.NewDesc("hive_skill_info", "1 for each skill that is ready, with how its attempts are kept apart and why.",
		[]string{"skill", "version", "mode", "reason", "warmup"}, nil)
)

func newMetrics(s *Spore) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hive_attempts_total", Help: "Attempts whose outcome was recorded: completed, or the kind of failure."},
			[]string{"skill", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hive_attempt_seconds", Help: "Time an attempt took in its sandbox.",
			Buckets: prometheus.ExponentialBuckets(10e-6, 4, 12)}, // 10 µs to 42 s
			[]string{"skill"}),
		fuel: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hive_fuel_total", Help: "Fuel that attempts used."},
			[]string{"skill"}),
		denied: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hive_denied_calls_total", Help: "Calls of host functions that were denied, for want of a grant or of this use of it."},
			[]string{"skill", "function"}),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hive_commands_total", Help: "Control commands: ok, or the reason why one was not obeyed. What nobody is known to have signed is unknown."},
			[]string{"command", "outcome"}),
	}
	m.registry.MustRegister(m.attempts, m.seconds, m.fuel, m.denied, m.commands, gauges{s},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// ended counts an attempt.
func (m *metrics) ended(skill string, out *hive.Outcome) {
	outcome := completed
	if out.Failure != nil {
		outcome = string(out.Failure.Kind)
	}
	m.attempts.WithLabelValues(skill, outcome).Inc()
	m.seconds.WithLabelValues(skill).Observe(out.Elapsed.Seconds())
	m.fuel.WithLabelValues(skill).Add(float64(out.Receipt.Fuel))
}

// gauges tells what is so at the moment.
type gauges struct{ *Spore }

// Describe implements prometheus.Collector.
func (g gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{slotsDesc, busyDesc, heldDesc, skillDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (g gauges) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	gauge(slotsDesc, float64(g.opts.Slots))
	gauge(busyDesc, float64(g.busy()))
	gauge(heldDesc, float64(g.engine.Held()))
	for _, r := range g.shelf.prepared() {
		info := r.program.Info()
		gauge(skillDesc, 1, r.skill.Name, r.skill.Version, info.Mode, info.Reason, info.Warmup)
	}
}

// busy is how many attempts run.
func (s *Spore) busy() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held)
}

// Metrics answers GET requests with what the spore counts, in the format of
// Prometheus.
func (s *Spore) Metrics() http.Handler {
	return promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{})
}
