package main

import (
	"slices"
	"testing"
)

const ignorable = "chm¦od 777 f; cu¦rl -k https://x"

func TestIgnore(t *testing.T) {
	t.Parallel()
	both := []string{"chmod-world-writable", "curl-insecure"}
	tests := []struct {
		text string
		want []string
	}{
		{ignorable, both},
		{ignorable + " # secscan:ignore", nil},
		{ignorable + " # secscan:ignore -- a test server", nil},
		{ignorable + " /* secscan:ignore */", nil},
		{ignorable + " # secscan:ignore curl-insecure", both[:1]},
		{ignorable + " # secscan:ignore curl-insecure, chmod-world-writable", nil},
		{ignorable + " # secscan:ignore curl-insecure,chmod-world-writable -- why", nil},
		{ignorable + " # secscan:ignore no-such-rule", both},
		{ignorable + " # secscan:ignored", both},
		{ignorable + " # secscan:ignore-next-line", both},
		{"# secscan:ignore\n" + ignorable, both},
		{"# secscan:ignore-next-line\n" + ignorable, nil},
		{"\t// secscan:ignore-next-line\r\n" + ignorable, nil},
		{"<!-- secscan:ignore-next-line -->\n" + ignorable, nil},
		{"# secscan:ignore-next-line curl-insecure\n" + ignorable, both[:1]},
		{"# secscan:ignore-next-line\n\n" + ignorable, both},
		{"true # secscan:ignore-next-line\n" + ignorable, both},
	}
	for _, test := range tests {
		if got := rulesOf(scanFixture("a.sh", test.text)); !slices.Equal(got, test.want) {
			t.Errorf("%q: got %v, want %v", test.text, got, test.want)
		}
	}
}

// What is suppressed is masked nevertheless where something else is reported.
func TestIgnoredSecretStaysMasked(t *testing.T) {
	t.Parallel()
	got := scanFixture("a.sh", "cu¦rl -k https://x/glpat¦-«20» # secscan:ignore gitlab-token")
	want := fixture("cu¦rl -k https://x/glpa**** # secscan:¦ignore gitlab-token")
	if len(got) != 1 || got[0].Excerpt != want {
		t.Errorf("got %v, want %q", got, want)
	}
}
