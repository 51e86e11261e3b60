package main

import (
	"slices"
	"strings"
	"testing"
)

func TestNoFindingsAreNotNull(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "package main\n"} {
		if got := Scan("main.go", text); got == nil || len(got) > 0 {
			t.Errorf("Scan(%q) = %#v, want no findings and not nil", text, got)
		}
	}
}

func TestLineNumbers(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"# a\n\nverify¦_ssl: false\nb: 1\nverify¦_ssl: false",
		"# a\r\n\r\nverify¦_ssl: false\r\nb: 1\r\nverify¦_ssl: false\r\n",
		"\ufeff# a\n\nverify¦_ssl: false\n\nverify¦_ssl: false\n",
	} {
		var lines []int
		for _, f := range scanFixture("a.yaml", text) {
			lines = append(lines, f.Line)
		}
		if !slices.Equal(lines, []int{3, 5}) {
			t.Errorf("lines of %q are %v, want 3 and 5", text, lines)
		}
	}
}

func TestPrivateKeyIsReportedOnce(t *testing.T) {
	t.Parallel()
	text := "x\n-----BE¦GIN RSA PRIVATE KEY-----\n" + strings.Repeat("«64»\n", 20) + "-----END RSA PRIVATE KEY-----\n"
	got := scanFixture("id_rsa", text)
	if len(got) != 1 || got[0].Line != 2 || got[0].Rule != "private-key" || got[0].Severity != critical {
		t.Errorf("got %v, want one private-key in line 2", got)
	}
}

func TestFindingsAreSorted(t *testing.T) {
	t.Parallel()
	got := scanFixture("a.sh", "chm¦od 777 f; cu¦rl -k https://x\nev¦al \"$1\"\n")
	want := []string{"chmod-world-writable", "curl-insecure", "shell-eval"}
	if !slices.Equal(rulesOf(got), want) || got[0].Line != 1 || got[2].Line != 2 {
		t.Errorf("got %v, want %v in lines 1, 1 and 2", got, want)
	}
}

func TestSpecificRuleWins(t *testing.T) {
	t.Parallel()
	got := rulesOf(scanFixture(".env", "GITHUB_TOKEN=ghp¦_«36»"))
	if !slices.Equal(got, []string{"github-token"}) {
		t.Errorf("got %v, want only github-token", got)
	}
}

func TestFindingsAreCapped(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"lines":    strings.Repeat("verify¦_ssl: false\n", 3*maxFindings),
		"one line": strings.Repeat("t: glpat¦-«20», ", 3*maxFindings),
	} {
		if got := len(scanFixture("a.yaml", text)); got != maxFindings {
			t.Errorf("%s: got %d findings, want %d", name, got, maxFindings)
		}
	}
}

func TestLongLines(t *testing.T) {
	t.Parallel()
	padding := strings.Repeat("var a=1;", 1000)
	got := scanFixture("a.min.js", padding+`t="glpat¦-«20»";`+padding+`ev¦al(code);`+padding+`u="postgres¦://me:hunter2@db/x"`)
	want := []string{"gitlab-token", "js-eval", "url-password"}
	if !slices.Equal(rulesOf(got), want) {
		t.Errorf("got %v, want %v", rulesOf(got), want)
	}
	for _, f := range got {
		if f.Line != 1 || !strings.Contains(f.Excerpt, "var a=1;") {
			t.Errorf("%v is not a piece of line 1", f)
		}
	}
}

// The rules look at pieces of a long line. No piece may hide what stands at its border.
func TestLongLineHasNoBlindSpots(t *testing.T) {
	t.Parallel()
	for before := 0; before < 2*maxPlace; before += 37 {
		text := strings.Repeat("k", before) + ` "glpat¦-«20»" ` + strings.Repeat("k", 2*maxPlace)
		if got := rulesOf(scanFixture("a.js", text)); !slices.Equal(got, []string{"gitlab-token"}) {
			t.Errorf("behind %d bytes: got %v, want gitlab-token", before, got)
		}
	}
}

func TestOddInput(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"invalid UTF-8":   "\xff\xfe\x00 password = \"\xff\xffhunter2\" \xff",
		"replaced UTF-8":  strings.Repeat("\ufffd", 5000) + " eval(" + strings.Repeat("\ufffd", 5000),
		"no runes":        strings.Repeat("\x80", 5000) + " eval(x) " + strings.Repeat("\x80", 5000),
		"unclosed":        `exec.Command("sh", "-c", `,
		"only quotes":     strings.Repeat(`"'`+"`", 500),
		"only backslash":  strings.Repeat(`\`, 2000),
		"only open":       strings.Repeat("eval((([{", 200),
		"many separators": strings.Repeat("password=:=", 200),
	} {
		for _, path := range []string{"a.go", "a.py", "a.js", "a.sh", "a.yaml", ".env", "package.json", "go.mod", "Dockerfile", "requirements.txt", "x"} {
			for _, f := range Scan(path, text) {
				if f.Line != 1 || len([]rune(f.Excerpt)) > maxExcerpt {
					t.Errorf("%s in %s: bad finding %v", name, path, f)
				}
			}
		}
	}
}

// A secret in a comment leaks, code in a comment does not run.
func TestComments(t *testing.T) {
	t.Parallel()
	if got := rulesOf(scanFixture("a.py", "# t = glpat¦-«20»")); !slices.Equal(got, []string{"gitlab-token"}) {
		t.Errorf("secret in a comment: got %v", got)
	}
	for path, line := range map[string]string{
		"a.py": "# ev¦al(x)", "a.go": "\t// exec.Com¦mand(\"sh\", \"-c\", x)", "a.sh": "# chm¦od 777 f", "a.js": " * ev¦al(x)", "a.ini": "; ssl¦_verify = false",
	} {
		if got := scanFixture(path, line); len(got) > 0 {
			t.Errorf("code in a comment of %s: got %v", path, got)
		}
	}
}

// Shapes of one language mean nothing in another.
func TestOtherLanguages(t *testing.T) {
	t.Parallel()
	lines := []string{"ev¦al(x)", "os.sys¦tem(cmd)", `el.inner¦HTML = x`, `exec.Com¦mand("sh", "-¦c", x)`, "yaml.lo¦ad(f)"}
	for _, line := range lines {
		for _, path := range []string{"a.java", "a.md", "a.txt", "a.c"} {
			if got := scanFixture(path, line); len(got) > 0 {
				t.Errorf("%s in %s: got %v", line, path, got)
			}
		}
	}
}

// secscan is to be run on this repository, tests and all.
func TestOwnSourcesAreClean(t *testing.T) {
	t.Parallel()
	for path, text := range ownSources(t) {
		for _, f := range Scan(path, text) {
			t.Errorf("%s:%d: %s: %s", path, f.Line, f.Rule, f.Excerpt)
		}
	}
}
