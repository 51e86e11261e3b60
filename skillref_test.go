package hive_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hive-spore/hive"
)

var digest = "sha256:" + strings.Repeat("0a", 32)

func TestParseSkillRef(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 49)
	for _, test := range []struct {
		in   string
		want hive.SkillRef
		err  string
	}{
		{in: "secscan", want: hive.SkillRef{Name: "secscan"}},
		{in: "word-count2@1.2.0", want: hive.SkillRef{Name: "word-count2", Pin: "1.2.0"}},
		{in: "secscan@1.2.0-rc.1", want: hive.SkillRef{Name: "secscan", Pin: "1.2.0-rc.1"}},
		{in: "secscan@" + digest, want: hive.SkillRef{Name: "secscan", Pin: digest}},
		{in: "", err: `skill name "": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`},
		{in: "@1.0.0", err: `skill name "": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`},
		{in: "Secscan", err: `skill name "Secscan": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`},
		{in: "2fast", err: `skill name "2fast": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`},
		{in: "a\n", err: `skill name "a\n": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`},
		{in: long, err: `skill name "` + long + `": want 1 to 48 of a-z, 0-9 and '-', beginning with a letter`},
		{in: "secscan@", err: `skill "secscan@": nothing after '@'`},
		{in: "secscan@latest", err: `version "latest": want a semantic version such as 1.2.3`},
		{in: "secscan@1.2", err: `version "1.2": want a semantic version such as 1.2.3`},
		{in: "secscan@v1.2.3", err: `version "v1.2.3": want a semantic version such as 1.2.3`},
		{in: "a@1.0.0@2.0.0", err: `version "1.0.0@2.0.0": want a semantic version such as 1.2.3`},
		{in: "a@sha256:0a", err: `digest "sha256:0a": want sha256: and 64 lower-case hex digits`},
		{in: "a@" + strings.ToUpper(digest), err: `version "` + strings.ToUpper(digest) + `": want a semantic version such as 1.2.3`},
	} {
		got, err := hive.ParseSkillRef(test.in)
		if got != test.want || message(err) != test.err {
			t.Errorf("ParseSkillRef(%q) = %+v, %v, want %+v, %q", test.in, got, err, test.want, test.err)
		}
		if err == nil && got.String() != test.in {
			t.Errorf("ParseSkillRef(%q) has the text %q", test.in, got)
		}
	}
}

func TestSkillRefMatches(t *testing.T) {
	t.Parallel()
	other := "sha256:" + strings.Repeat("0b", 32)
	for _, test := range []struct {
		ref                   string
		name, version, digest string
		want                  bool
	}{
		{"secscan", "secscan", "1.2.0", digest, true},
		{"secscan", "summarize", "1.2.0", digest, false},
		{"secscan@1.2.0", "secscan", "1.2.0", digest, true},
		{"secscan@1.2.0", "secscan", "1.2.1", digest, false},
		{"secscan@1.2.0", "secscan", "1.2.0-rc.1", digest, false},
		{"secscan@1.2.0", "summarize", "1.2.0", digest, false},
		{"secscan@" + digest, "secscan", "1.2.0", digest, true},
		{"secscan@" + digest, "secscan", "1.2.0", other, false},
	} {
		ref, err := hive.ParseSkillRef(test.ref)
		if err != nil {
			t.Fatalf("ParseSkillRef(%q) = %v", test.ref, err)
		}
		if got := ref.Matches(test.name, test.version, test.digest); got != test.want {
			t.Errorf("%s.Matches(%q, %q, %q) = %v, want %v", ref, test.name, test.version, test.digest, got, test.want)
		}
	}
}

func TestCheckVersion(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"0.0.0", "1.2.3", "10.20.30", "999999999.0.0", "1.0.0-0", "1.0.0-alpha", "1.0.0-alpha.1",
		"1.0.0-0.3.7", "1.0.0-x.7.z.92", "1.0.0-x-y-z.-", "1.0.0--", "1.0.0-0a", "1.0.0-00a"} {
		if err := hive.CheckVersion(v); err != nil {
			t.Errorf("CheckVersion(%q) = %v, want it valid", v, err)
		}
	}
	for _, v := range []string{"", "1", "1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.02.3", "1.2.03", "-1.2.3", "1.2.3-", "1.2.3-.a",
		"1.2.3-a..b", "1.2.3-01", "1.2.3-a.007", "1.2.3+linux", "1.2.3-a+b", "1.2.3 ", "1.2.3\n", "1.2.x", "1.2.3-é",
		"1000000000.0.0", "1.0.0-" + strings.Repeat("a", 59)} {
		want := `version "` + strings.ReplaceAll(v, "\n", `\n`) + `": want a semantic version such as 1.2.3`
		if got := message(hive.CheckVersion(v)); got != want {
			t.Errorf("CheckVersion(%q) = %q, want %q", v, got, want)
		}
	}
}

// ascending holds the examples of semver.org §11 and what they imply.
var ascending = []string{
	"0.9.9",
	"1.0.0-0",
	"1.0.0-2",
	"1.0.0-11",
	"1.0.0-18446744073709551615",
	"1.0.0-18446744073709551616",
	"1.0.0-99999999999999999999",
	"1.0.0-100000000000000000000",
	"1.0.0--",
	"1.0.0-0a",
	"1.0.0-Alpha",
	"1.0.0-alpha",
	"1.0.0-alpha.1",
	"1.0.0-alpha.beta",
	"1.0.0-beta",
	"1.0.0-beta.2",
	"1.0.0-beta.11",
	"1.0.0-beta.11.0",
	"1.0.0-rc.1",
	"1.0.0",
	"2.0.0",
	"2.1.0",
	"2.1.1",
	"2.2.0",
	"2.10.0",
	"10.0.0",
}

func TestCompareVersions(t *testing.T) {
	t.Parallel()
	for i, a := range ascending {
		if err := hive.CheckVersion(a); err != nil {
			t.Errorf("CheckVersion(%q) = %v", a, err)
		}
		for j, b := range ascending {
			if got := hive.CompareVersions(a, b); cmp.Compare(got, 0) != cmp.Compare(i, j) {
				t.Errorf("CompareVersions(%q, %q) = %d, want the sign of %d", a, b, got, i-j)
			}
		}
	}
}

// TestWorkingCopy: it is what comes last before a release.
func TestWorkingCopy(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"1.0.0", "1.0.0-rc.1"} {
		copied := v + hive.WorkingCopy
		if !hive.IsWorkingCopy(copied) || hive.IsWorkingCopy(v) || hive.CheckVersion(copied) != nil {
			t.Errorf("%s is no version of a working copy of %s", copied, v)
		}
		if run := v + "-dev.xffffffffffff"; hive.CompareVersions(copied, run) <= 0 {
			t.Errorf("%s does not come after %s", copied, run)
		}
	}
	if hive.CompareVersions("1.0.0"+hive.WorkingCopy, "1.0.0") >= 0 {
		t.Error("a working copy does not come before its release")
	}
}

func TestCompareVersionsIsAnOrder(t *testing.T) {
	t.Parallel()
	number := `(0|[1-9]|1[0-9]|[1-9][0-9]{19,20})`
	part := `(` + number + `|[0-2A-Ca-c-]{0,2}[A-Ca-c-])`
	version := rapid.StringMatching(`[0-2]\.(0|2|10)\.[01](-` + part + `(\.` + part + `)?)?`)
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(version, 3, 3).Draw(t, "versions")
		for _, v := range vs {
			if err := hive.CheckVersion(v); err != nil {
				t.Fatalf("CheckVersion(%q) = %v", v, err)
			}
		}
		checkOrder(t, vs[0], vs[1], vs[2])
	})
}

// checkOrder checks that three valid versions stand in one total order.
func checkOrder(t interface{ Fatalf(string, ...any) }, vs ...string) {
	for _, a := range vs {
		for _, b := range vs {
			ab, ba := hive.CompareVersions(a, b), hive.CompareVersions(b, a)
			if cmp.Compare(ab, 0) != -cmp.Compare(ba, 0) || (ab == 0) != (a == b) {
				t.Fatalf("CompareVersions(%q, %q) = %d, backwards %d", a, b, ab, ba)
			}
		}
	}
	slices.SortFunc(vs, hive.CompareVersions)
	if first, last := vs[0], vs[len(vs)-1]; hive.CompareVersions(first, last) > 0 {
		t.Fatalf("CompareVersions goes round in circles over %q", vs)
	}
}

func FuzzCompareVersions(f *testing.F) {
	for i := range ascending[2:] {
		f.Add(ascending[i], ascending[i+1], ascending[i+2])
	}
	f.Add("", "-", "1..")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		hive.CompareVersions(a, b) // no text may make it panic
		for _, v := range []string{a, b, c} {
			if hive.CheckVersion(v) != nil {
				return
			}
		}
		checkOrder(t, a, b, c)
	})
}

func FuzzParseSkillRef(f *testing.F) {
	for _, s := range []string{"", "@", "secscan", "secscan@1.2.0", "secscan@" + digest, "secscan@", "a@1@2", "A", "a@sha256:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := hive.ParseSkillRef(s)
		switch {
		case err == nil && (ref.String() != s || ref.Validate() != nil):
			t.Fatalf("ParseSkillRef(%q) = %+v", s, ref)
		case err != nil && ref != hive.SkillRef{}:
			t.Fatalf("ParseSkillRef(%q) = %+v beside %v", s, ref, err)
		}
	})
}
