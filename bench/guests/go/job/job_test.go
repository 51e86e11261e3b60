package job

import (
	"testing"

	"github.com/hive-spore/hive/bench/engine/work"
)

func TestDo(t *testing.T) {
	t.Parallel()
	for _, e := range work.Examples {
		if got, err := Do(e.Payload); err != nil || string(got) != string(e.Result) {
			t.Errorf("Do(%s) = %s, %v, want %s", e.Payload, got, err, e.Result)
		}
	}
	for _, wrong := range []string{string(work.Wrong), `{"a":1}{}`, `{"c":1}`, ``} {
		if got, err := Do([]byte(wrong)); err == nil {
			t.Errorf("Do(%s) = %s, want an error", wrong, got)
		}
	}
}
