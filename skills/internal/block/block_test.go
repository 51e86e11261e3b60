package block

import "testing"

func TestCollapse(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{" \n\t ", ""},
		{"a", "a"},
		{" a\u00a0b\r\n\u2009c ", "a b c"},
		{"Donau\u00addampf\u200bschiff\ufeff", "Donaudampfschiff"},
		{"a\xffb", "a\ufffdb"},
	}
	for _, tt := range tests {
		if got := Collapse(tt.text); got != tt.want {
			t.Errorf("Collapse(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestEndsSentence(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "Rain": false, "Rain:": false, "Rain)": false,
		"It rains.": true, "It rains!": true, "Rain?": true, "Rain…": true,
		"“It rains.”": true, "(It rains.)": true, "„Es regnet.“": true, "»Regen!«": true,
	} {
		if got := EndsSentence(text); got != want {
			t.Errorf("EndsSentence(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestLooksLikeHeading(t *testing.T) {
	for text, want := range map[string]bool{
		"Rain in June": true, "It rains.": false, "Although it rains,": false, "You need:": false,
		"one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen " +
			"eighteen nineteen twenty twenty-one": false,
	} {
		if got := LooksLikeHeading(text); got != want {
			t.Errorf("LooksLikeHeading(%q) = %v, want %v", text, got, want)
		}
	}
}
