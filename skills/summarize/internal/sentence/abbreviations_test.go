package sentence

import (
	"strings"
	"testing"

	"github.com/hive-spore/hive/skills/summarize/internal/lang"
)

// TestAbbreviationsAreWellFormed guards the form in which they are looked up.
func TestAbbreviationsAreWellFormed(t *testing.T) {
	for l, table := range abbreviations {
		for word, class := range table {
			if word != strings.ToLower(word) || strings.HasSuffix(word, ".") || class == unknown {
				t.Errorf("%v: entry %q (class %d) can never match", lang.Language(l), word, class)
			}
		}
	}
}

func TestClassesRejectsAWordInTwo(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a word in two classes is accepted")
		}
	}()
	classes(map[class]string{neverEnds: "dr", mayEnd: "dr"})
}
