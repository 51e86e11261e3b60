package hive_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

// Callers branch on these and people read them behind a verb and a subject.
func TestErrorsAreTold(t *testing.T) {
	t.Parallel()
	all := []error{hive.ErrNotFound, hive.ErrNotSupported, hive.ErrTooLarge, hive.ErrFenced, hive.ErrConflict, hive.ErrEffect, hive.ErrFinal,
		hive.ErrNotLeader, hive.ErrUnregistered, hive.ErrTaken, hive.ErrUnreachable, hive.ErrFull, hive.ErrDisabled}
	for i, err := range all {
		text := err.Error()
		if text[:1] != strings.ToLower(text[:1]) || strings.HasSuffix(text, ".") {
			t.Errorf("%q does not read well behind %q", text, "task x: ")
		}
		wrapped := fmt.Errorf("task x: %w", err)
		for j, other := range all {
			if errors.Is(wrapped, other) != (i == j) {
				t.Errorf("errors.Is(%q, %q) = %v", wrapped, other, i != j)
			}
			if i != j && text == other.Error() {
				t.Errorf("two errors say %q", text)
			}
		}
	}
}
