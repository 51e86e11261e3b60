package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestExcerpts(t *testing.T) {
	t.Parallel()
	tests := []struct{ path, text, want string }{
		{"a.py", "\t t = 'glpat¦-«20»'  # x ", "t = 'glpa****'  # x"},
		{"a.py", `pa¦ssword = "hunter2¦!"`, `pa¦ssword = "hu****"`},
		{"a.py", `pa¦ssword = "hunter2¦!" # was hunter2¦! before`, `pa¦ssword = "hu****" # was hu**** before`},
		{"a.py", `a, b = "glpat¦-«20»", "ghp¦_«36»"`, `a, b = "glpa****", "ghp_****"`},
		{"a.py", `u = "redis¦://:p4ss¦word@h"; v = "redis¦://:p4ss¦word@i"`, `u = "redis¦://:p4****@h"; v = "redis¦://:p4****@i"`},
		{"a.py", `t = "glpat¦-«20»-and-more.than_usual"`, `t = "glpa****"`},
		{"a.py", "t\x00 = \x1b[31m'glpat¦-«20»'\u202e", "t  =  [31m'glpa****'"},
		{"a.json", `"private_key": "-----BE¦GIN PRIVATE KEY-----\nMIIE«600»\n-----END PRIVATE KEY-----\n"`,
			`"private_key": "-----BE¦GIN PRIVATE KEY-----\nMI****\n"`},
		{"a.py", `api_k¦eys = ["abc123¦def456", "ghi789¦jkl012", "x"]`, `api_k¦eys = ["abc****", "ghi****", "****"]`},
		{"a.py", `pa¦ssword = "пароль12345"`, `pa¦ssword = "па****"`},
	}
	for _, test := range tests {
		got := scanFixture(test.path, test.text)
		if len(got) == 0 {
			t.Errorf("%q: no finding", test.text)
		}
		for _, f := range got {
			if f.Excerpt != fixture(test.want) {
				t.Errorf("%q: got %q, want %q", test.text, f.Excerpt, fixture(test.want))
			}
		}
	}
}

// A secret that one line gives away is masked on the others too.
func TestSecretIsMaskedOnOtherLines(t *testing.T) {
	t.Parallel()
	for _, f := range scanFixture("a.sh", "API_SEC¦RET=«24»\ncu¦rl -k https¦://x/«24»\n") {
		if strings.Contains(f.Excerpt, fixture("«24»")) {
			t.Errorf("line %d shows the secret: %s", f.Line, f.Excerpt)
		}
	}
}

func TestLongExcerptIsCutAroundTheMatch(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		strings.Repeat("ü", 300) + " glpat¦-«20» " + strings.Repeat("日", 300),
		"glpat¦-«20» " + strings.Repeat("日", 300),
		strings.Repeat("ü", 300) + " glpat¦-«20»",
		strings.Repeat("ü", 109) + " glpat¦-«20»",
	} {
		got := scanFixture("a.txt", text)[0].Excerpt
		if !strings.Contains(got, "glpa****") || !utf8.ValidString(got) || utf8.RuneCountInString(got) > maxExcerpt {
			t.Errorf("bad excerpt of %d characters: %q", utf8.RuneCountInString(got), got)
		}
	}
}

// A secret that is longer than a place must not show at the end of the place.
func TestLongSecretIsMaskedToItsEnd(t *testing.T) {
	t.Parallel()
	for length := 100; length < 3*maxPlace; length += 111 {
		secret := fill(alphabets[""], length)
		line := `{"a":1,"t":"` + fixture("glpat¦-") + secret + `","b":"` + strings.Repeat("z", wholeLine) + `"}`
		for _, f := range Scan("a.json", line) {
			if _, tail, _ := strings.Cut(f.Excerpt, maskText); strings.Contains(tail, secret[len(secret)-8:]) {
				t.Errorf("length %d: the end of the secret shows: %s", length, f.Excerpt)
			}
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]string{
		"": maskText, "abc": maskText, "abcd": "a" + maskText, "abcdefgh": "ab" + maskText,
		"abcdefghijklmnop": "abcd" + maskText, "äöüßäöüß": "äö" + maskText, strings.Repeat("x", 99): "xxxx" + maskText,
	} {
		if got := mask(secret); got != want {
			t.Errorf("mask(%q) = %q, want %q", secret, got, want)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	got := merge([]span{{8, 9}, {2, 5}, {1, 4}, {5, 6}, {2, 3}})
	want := []span{{1, 5}, {5, 6}, {8, 9}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v, want %v", got, want)
	}
}
