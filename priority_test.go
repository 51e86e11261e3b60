package hive_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

func TestParsePriority(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in   string
		want hive.Priority
		high bool
		err  string
	}{
		{in: "high", want: 8, high: true},
		{in: "high_priority", want: 8, high: true},
		{in: "background", want: 2},
		{in: "0", want: 0},
		{in: "4", want: 4},
		{in: "5", want: 5, high: true},
		{in: "10", want: 10, high: true},
		{in: "11", err: `priority "11": want 0 to 10, high or background`},
		{in: "-1", err: `priority "-1": want 0 to 10, high or background`},
		{in: "", err: `priority "": want 0 to 10, high or background`},
		{in: "5.0", err: `priority "5.0": want 0 to 10, high or background`},
		{in: " 5", err: `priority " 5": want 0 to 10, high or background`},
		{in: "High", err: `priority "High": want 0 to 10, high or background`},
		{in: "18446744073709551617", err: `priority "18446744073709551617": want 0 to 10, high or background`},
		{in: strings.Repeat("9", 1000), err: `priority "` + strings.Repeat("9", 80) + `": want 0 to 10, high or background`},
	} {
		got, err := hive.ParsePriority(test.in)
		if got != test.want || message(err) != test.err {
			t.Errorf("ParsePriority(%q) = %d, %v, want %d, %q", test.in, got, err, test.want, test.err)
		}
		if err == nil && got.High() != test.high {
			t.Errorf("Priority(%d).High() = %v, want %v", got, got.High(), test.high)
		}
	}
}

func TestPriorityValidate(t *testing.T) {
	t.Parallel()
	for p := hive.Priority(-2); p < 13; p++ {
		want := ""
		if p < 0 || p > 10 {
			want = "priority " + strconv.Itoa(int(p)) + ": want 0 to 10, high or background"
		}
		if got := message(p.Validate()); got != want {
			t.Errorf("Priority(%d).Validate() = %q, want %q", p, got, want)
		}
	}
}

func FuzzParsePriority(f *testing.F) {
	for _, s := range []string{"high", "high_priority", "background", "0", "10", "11", "-1", "+5", "007", "0x1", "", "１"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := hive.ParsePriority(s)
		if p.Validate() != nil || err != nil && p != 0 {
			t.Fatalf("ParsePriority(%q) = %d, %v", s, p, err)
		}
		if again, err := hive.ParsePriority(strconv.Itoa(int(p))); again != p || err != nil {
			t.Fatalf("ParsePriority(%q) = %d, whose text is read as %d, %v", s, p, again, err)
		}
	})
}
