package spore_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive/spore"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	_, c, spores := hiveOf(t, spore.Options{Name: "a", Slots: 3})
	for _, payload := range []string{"echo hello", "echo again", "exit 3", "spin"} {
		task := guest(payload)
		task.Timeout = 50 * time.Millisecond
		if _, err := c.Run(t.Context(), task); err != nil {
			t.Fatal(err)
		}
	}
	scrape := func() string {
		answer := httptest.NewRecorder()
		spores[0].Metrics().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		return answer.Body.String()
	}
	for !strings.Contains(scrape(), "hive_attempt_seconds_count{skill=\"guest\"} 4\n") { // it counts what is recorded
	}
	text := scrape() // one answer is not of one moment: the last one may have missed what was counted before
	for _, want := range []string{
		`hive_attempts_total{outcome="completed",skill="guest"} 2`,
		`hive_attempts_total{outcome="exit",skill="guest"} 1`,
		`hive_attempts_total{outcome="timeout",skill="guest"} 1`,
		`hive_attempt_seconds_count{skill="guest"} 4`,
		`hive_slots 3`, `hive_slots_busy `, `hive_sandbox_bytes `, `hive_fuel_total{skill="guest"} `, `go_goroutines `,
		`hive_skill_info{mode="restored instance",reason="all of its state can be restored (`,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}
