package hive_test

import (
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

// message is the text of err, empty for nil.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestDefaultsFitLimits(t *testing.T) {
	t.Parallel()
	rising := []time.Duration{hive.HeartbeatEvery, hive.OfflineAfter, hive.Lease, hive.ForgetNode, hive.DefaultRetention}
	for i := 1; i < len(rising); i++ {
		if rising[i-1] >= rising[i] {
			t.Errorf("%v comes before %v: a silent spore must go offline, lose its lease and be forgotten in this order", rising[i-1], rising[i])
		}
	}
	if hive.DefaultTimeout > hive.MaxTimeout || hive.DefaultRetries > hive.MaxRetries || hive.DefaultMemory > hive.MaxMemory {
		t.Error("a default is larger than its limit")
	}
	// What users of the original know as HIVE_TASK_TIMEOUT and HIVE_MAX_RETRIES.
	if hive.DefaultTimeout != 300*time.Second || hive.DefaultRetries != 3 {
		t.Errorf("defaults are %v and %d retries, want 5m0s and 3", hive.DefaultTimeout, hive.DefaultRetries)
	}
}
