package hive_test

import (
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hive-spore/hive"
)

const (
	wantKey   = "want 1 to 63 of a-z, 0-9, '_', '.' and '-', beginning with a letter"
	wantValue = "want 1 to 63 letters, digits, '.', '_' and '-'"
)

func TestParseTags(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 64)
	for _, test := range []struct {
		in   string
		want hive.Tags
		err  string
	}{
		{in: "", want: hive.Tags{}},
		{in: " \t", want: hive.Tags{}},
		{in: "gpu", want: hive.Tags{"gpu": "true"}},
		{in: "zone=eu, gpu ,mem_gb=16", want: hive.Tags{"gpu": "true", "zone": "eu", "mem_gb": "16"}},
		{in: "os.arch=linux-amd64", want: hive.Tags{"os.arch": "linux-amd64"}},
		{in: long[1:] + "=" + long[1:], want: hive.Tags{long[1:]: long[1:]}},
		{in: "gpu=true,gpu", err: `tag "gpu": given twice`},
		{in: "a=1,,b=2", err: `tag key "": ` + wantKey},
		{in: "a=1,", err: `tag key "": ` + wantKey},
		{in: "=eu", err: `tag key "": ` + wantKey},
		{in: "Zone=eu", err: `tag key "Zone": ` + wantKey},
		{in: "1a=eu", err: `tag key "1a": ` + wantKey},
		{in: "zone =eu", err: `tag key "zone ": ` + wantKey},
		{in: long + "=x", err: `tag key "` + long + `": ` + wantKey},
		{in: "zone=", err: `tag zone: value "": ` + wantValue},
		{in: "zone=a=b", err: `tag zone: value "a=b": ` + wantValue},
		{in: "zone=e u", err: `tag zone: value "e u": ` + wantValue},
		{in: "zone=e|u", err: `tag zone: value "e|u": ` + wantValue},
		{in: "zone=" + long, err: `tag zone: value "` + long + `": ` + wantValue},
		{in: "zone=" + strings.Repeat("x", 100), err: `tag zone: value "` + strings.Repeat("x", 80) + `": ` + wantValue},
	} {
		got, err := hive.ParseTags(test.in)
		if !maps.Equal(got, test.want) || message(err) != test.err {
			t.Errorf("ParseTags(%q) = %v, %v, want %v, %q", test.in, got, err, test.want, test.err)
		}
	}
}

func TestTagsString(t *testing.T) {
	t.Parallel()
	tags := hive.Tags{"zone": "eu", "gpu": "true", "mem_gb": "16"}
	if got, want := tags.String(), "gpu=true,mem_gb=16,zone=eu"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if got := hive.Tags(nil).String(); got != "" {
		t.Errorf("String() of no tags = %q, want nothing", got)
	}
}

func TestTagsValidate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		tags hive.Tags
		want string
	}{
		{nil, ""},
		{hive.Tags{"gpu": "true", "zone": "eu"}, ""},
		{hive.Tags{"gpu": "true", "zone": "", "Y": "2", "X": "1"}, `tag key "X": ` + wantKey},
		{hive.Tags{"gpu": "true", "zone": ""}, `tag zone: value "": ` + wantValue},
	} {
		if got := message(test.tags.Validate()); got != test.want {
			t.Errorf("%v.Validate() = %q, want %q", test.tags, got, test.want)
		}
	}
}

// tagSet draws tags with few keys and values, so that selectors meet them.
func tagSet() *rapid.Generator[hive.Tags] {
	return rapid.Custom(func(t *rapid.T) hive.Tags {
		return rapid.MapOf(tagKeys, rapid.SampledFrom([]string{"true", "eu", "us", "8", "16", "16.5", "-1", "NaN"})).Draw(t, "tags")
	})
}

var tagKeys = rapid.SampledFrom([]string{"gpu", "zone", "mem_gb", "in", "notin"})

func TestTagsTextIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tags := tagSet().Draw(t, "tags")
		if again, err := hive.ParseTags(tags.String()); err != nil || !maps.Equal(again, tags) {
			t.Fatalf("ParseTags(%q) = %v, %v, want %v", tags, again, err, tags)
		}
	})
}

func FuzzParseTags(f *testing.F) {
	for _, s := range []string{"", ",", "gpu", "gpu=true,zone=eu", " gpu = true", "a=b=c", "a=", "=b", "a,a", "\xff", "mem_gb=16, zone=eu ,spot"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tags, err := hive.ParseTags(s)
		if err != nil {
			if tags != nil {
				t.Fatalf("ParseTags(%q) = %v beside %v", s, tags, err)
			}
			return
		}
		if err := tags.Validate(); err != nil {
			t.Fatalf("ParseTags(%q) = %v: %v", s, tags, err)
		}
		if again, err := hive.ParseTags(tags.String()); err != nil || !maps.Equal(again, tags) {
			t.Fatalf("ParseTags(%q) = %v, %v, want %v", tags, again, err, tags)
		}
	})
}
