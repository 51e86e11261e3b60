package nearest

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	t.Parallel()
	known := []string{"name", "limits", "limits.memory_mb", "limits.time", "build.output"}
	for name, want := range map[string]string{
		"nmae": "name", "Name": "name", "limits.memory": "limits.memory_mb", "limit": "limits",
		"memory_mb": "limits.memory_mb", "limits.output": "build.output", "colour": "", "x": "",
		strings.Repeat("limits", 20): "",
	} {
		if got := Of(name, known); got != want {
			t.Errorf("Of(%q) = %q, want %q", name, got, want)
		}
	}
}
