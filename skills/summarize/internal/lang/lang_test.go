package lang

import (
	"strings"
	"testing"

	"github.com/hive-spore/hive/skills/internal/wordset"
)

func TestDetect(t *testing.T) {
	tests := []struct {
		text string
		want Language
	}{
		{"", English},
		{"42 + 17", English},
		{"The bees were on their way to the hive.", English},
		{"It’s what they’ve always wanted.", English},
		{"Pszczoły były już w drodze do ula, ale nie wszystkie.", Polish},
		{"To jest w porządku.", Polish},
		{"Die Bienen waren schon auf dem Weg zum Stock, aber nicht alle.", German},
		{"So war es, und so ist es.", German},
		{"Sie sagte „the best of the best“ und ging auf die Straße.", German},
	}
	for _, tt := range tests {
		if got := Detect(tt.text); got != tt.want {
			t.Errorf("Detect(%q) = %v, want %v", tt.text, got, tt.want)
		}
	}
}

// TestDetectReadsABeginning makes sure that a cut within a character is no
// problem.
func TestDetectReadsABeginning(t *testing.T) {
	for shift := range 3 {
		text := strings.Repeat("x", shift) + strings.Repeat(" się", sample)
		if got := Detect(text); got != Polish {
			t.Errorf("Detect = %v, want %v", got, Polish)
		}
	}
}

func TestPointsBack(t *testing.T) {
	tests := []struct {
		lang          Language
		first, second string
		want          bool
	}{
		{English, "He", "left", true},
		{English, "The", "man", false},
		{Polish, "Tak", "wynika", true},
		{Polish, "Tramwaj", "jedzie", false},
		{German, "Sie", "ging", true},
		{German, "Das", "haben", true},
		{German, "Das", "Haus", false},
		{German, "Das", "neue", false},
		{German, "Die", "Stadt", false},
	}
	for _, tt := range tests {
		if got := tt.lang.PointsBack(tt.first, tt.second); got != tt.want {
			t.Errorf("%v.PointsBack(%q, %q) = %v, want %v", tt.lang, tt.first, tt.second, got, tt.want)
		}
	}
}

// TestListsAreLowerCase guards the form in which words are looked up.
func TestListsAreLowerCase(t *testing.T) {
	for l := range stopWords {
		for _, list := range []wordset.Set{stopWords[l], anaphora[l]} {
			for word := range list {
				if word != strings.ToLower(word) {
					t.Errorf("%v: %q is never looked up", Language(l), word)
				}
			}
		}
	}
}
