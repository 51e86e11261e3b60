package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
)

// TestTenantsShareByWeight: while all of three tenants have tasks waiting, the tasks that
// begin are theirs as their weights say, on several spores; and what is paused does not begin.
func TestTenantsShareByWeight(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	c.spore("a", "--slots", "2")
	c.spore("b", "--slots", "2")
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	weights := map[string]int{"one": 1, "two": 2, "seven": 7}
	var tasks []hive.Task
	for tenant, weight := range weights {
		if err := submitter.SetWeight(t.Context(), tenant, weight); err != nil {
			t.Fatal(err)
		}
		for range 300 {
			task := guest("sleep 1ms")
			task.Tenant = tenant
			tasks = append(tasks, task)
		}
	}
	if err := submitter.Pause(t.Context(), hive.Scope{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := submitter.SubmitMany(t.Context(), tasks); err != nil {
		t.Fatal(err)
	}
	if err := submitter.Resume(t.Context(), hive.Scope{}); err != nil {
		t.Fatal(err)
	}
	await(t, "all tasks", func() (bool, error) {
		s, err := c.road.Stats(t.Context())
		return s.Completed == int64(len(tasks)), err
	})
	var begun []*hive.Record
	if err := c.road.Tasks(t.Context(), func(r *hive.Record) bool {
		begun = append(begun, r)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(begun, func(x, y *hive.Record) int { return x.Started.Compare(y.Started) })
	const first = 300 // all of them have tasks waiting until then
	got := map[string]int{}
	for _, r := range begun[:first] {
		got[r.Tenant]++
	}
	for tenant, weight := range weights {
		if want := first * weight / 10; got[tenant] < want-20 || got[tenant] > want+20 {
			t.Errorf("of the first %d tasks %d are of tenant %s, want about %d", first, got[tenant], tenant, want)
		}
	}
}
