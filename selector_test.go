package hive_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/hive-spore/hive"
)

func TestParseSelector(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{" \t\n", ""},
		{"gpu", "gpu"},
		{"!spot", "!spot"},
		{"! spot", "!spot"},
		{"gpu=true", "gpu=true"},
		{" gpu  =  true ", "gpu=true"},
		{"zone!=eu", "zone!=eu"},
		{"zone in (eu)", "zone=eu"},
		{"zone notin (eu)", "zone!=eu"},
		{"zone in(us , eu,us)", "zone in (eu,us)"},
		{"zone\tnotin\n( us,eu )", "zone notin (eu,us)"},
		{"mem_gb > 16", "mem_gb>16"},
		{"mem_gb>=16.5", "mem_gb>=16.5"},
		{"temp<-5", "temp<-5"},
		{"mem_gb<=1e3", "mem_gb<=1e3"},
		{"zone=eu,gpu,!spot,mem_gb>=16,gpu", "!spot,gpu,mem_gb>=16,zone=eu"},
		{"zone in (us,eu),gpu=true", "gpu=true,zone in (eu,us)"},
		{"in in (in,notin)", "in in (in,notin)"},
		{"in", "in"},
		{"notin notin (x)", "notin!=x"},
		{"notin notin (x,y)", "notin notin (x,y)"},
		{"mem_gb>1,mem_gb<64", "mem_gb<64,mem_gb>1"},
		{strings.Repeat("gpu,", 255) + "gpu ", "gpu"},
	} {
		got, err := hive.ParseSelector(test.in)
		if got.String() != test.want || err != nil {
			t.Errorf("ParseSelector(%q) = %q, %v, want %q", test.in, got, err, test.want)
		}
	}
}

func TestParseSelectorParts(t *testing.T) {
	t.Parallel()
	got, err := hive.ParseSelector("zone notin (us,eu),mem_gb>=16,!spot,gpu")
	want := hive.Selector{
		{Key: "spot", Op: hive.OpAbsent},
		{Key: "gpu", Op: hive.OpExists},
		{Key: "mem_gb", Op: hive.OpAtLeast, Values: []string{"16"}},
		{Key: "zone", Op: hive.OpNotIn, Values: []string{"eu", "us"}},
	}
	if !reflect.DeepEqual(got, want) || err != nil {
		t.Errorf("ParseSelector = %#v, %v, want %#v", got, err, want)
	}
}

// Every malformed selector is answered with one sentence that quotes what was
// given, names the part that is wrong and says what is wanted.
func TestParseSelectorRefuses(t *testing.T) {
	t.Parallel()
	const (
		key  = wantKey + " (requirements look like gpu=true, zone in (eu,us), !spot, mem_gb>=16)"
		sets = "want KEY in (A,B) or KEY notin (A,B)"
	)
	for _, test := range []struct{ in, want string }{
		{"a=b=c", `selector "a=b=c": tag a: value "b=c": ` + wantValue},
		{"a==b", `selector "a==b": tag a: value "=b": ` + wantValue},
		{"a=>1", `selector "a=>1": tag a: value ">1": ` + wantValue},
		{"a=!b", `selector "a=!b": tag a: value "!b": ` + wantValue},
		{"a=", `selector "a=": tag a: value "": ` + wantValue},
		{"a!=", `selector "a!=": tag a: value "": ` + wantValue},
		{"a>=", `selector "a>=": tag a: value "": ` + wantValue},
		{"a<b>=1", `selector "a<b>=1": tag a: value "b>=1": ` + wantValue},
		{"a=,b", `selector "a=,b": tag a: value "": ` + wantValue},
		{"=b", `selector "=b": tag key "": ` + key},
		{">=16", `selector ">=16": tag key "": ` + key},
		{"!", `selector "!": tag key "": ` + key},
		{"!!a", `selector "!!a": tag key "!a": ` + key},
		{"!a=b", `selector "!a=b": tag key "a=b": ` + key},
		{"a!", `selector "a!": tag key "a!": ` + key},
		{"a b", `selector "a b": tag key "a b": ` + key},
		{"GPU", `selector "GPU": tag key "GPU": ` + key},
		{"gpu;spot", `selector "gpu;spot": tag key "gpu;spot": ` + key},
		{"größe=1", `selector "größe=1": tag key "größe": ` + key},
		{"\xff", `selector "\xff": tag key "\xff": ` + key},
		{",", `selector ",": empty requirement between commas`},
		{"a,", `selector "a,": empty requirement between commas`},
		{"a, ,b", `selector "a, ,b": empty requirement between commas`},
		{"in (x)", `selector "in (x)": "in (x)": ` + sets},
		{"(x)", `selector "(x)": "(x)": ` + sets},
		{"zone of (eu)", `selector "zone of (eu)": "zone of (eu)": ` + sets},
		{"zone not in (eu)", `selector "zone not in (eu)": "zone not in (eu)": ` + sets},
		{"zone IN (eu)", `selector "zone IN (eu)": "zone IN (eu)": ` + sets},
		{"zone in (eu", `selector "zone in (eu": "zone in (eu": ` + sets},
		{"zone in (eu,gpu=true", `selector "zone in (eu,gpu=true": "zone in (eu,gpu=true": ` + sets},
		{"zone in (eu) gpu", `selector "zone in (eu) gpu": "zone in (eu) gpu": ` + sets},
		{"zone in eu", `selector "zone in eu": tag key "zone in eu": ` + key},
		{"zone in eu)", `selector "zone in eu)": tag key "zone in eu)": ` + key},
		{"a),b", `selector "a),b": tag key "a)": ` + key},
		{"Zone in (eu)", `selector "Zone in (eu)": tag key "Zone": ` + key},
		{"a in ()", `selector "a in ()": tag a: value "": ` + wantValue},
		{"a in (x,)", `selector "a in (x,)": tag a: value "": ` + wantValue},
		{"a in ((x))", `selector "a in ((x))": tag a: value "(x)": ` + wantValue},
		{"a in (x y)", `selector "a in (x y)": tag a: value "x y": ` + wantValue},
		{"a in (x=y)", `selector "a in (x=y)": tag a: value "x=y": ` + wantValue},
		{"a=(x,y)", `selector "a=(x,y)": tag a: value "(x,y)": ` + wantValue},
		{"mem_gb>=lots", `selector "mem_gb>=lots": mem_gb>=lots: "lots" is not a number`},
		{"mem_gb<16GB", `selector "mem_gb<16GB": mem_gb<16GB: "16GB" is not a number`},
		{"mem_gb>NaN", `selector "mem_gb>NaN": mem_gb>NaN: "NaN" is not a number`},
		{"mem_gb<=-inf", `selector "mem_gb<=-inf": mem_gb<=-inf: "-inf" is not a number`},
		{strings.Repeat("a", 2048), "selector: 2048 bytes, at most 1024 allowed"},
		{strings.Repeat(" ", 1025), "selector: 1025 bytes, at most 1024 allowed"},
	} {
		got, err := hive.ParseSelector(test.in)
		if got != nil || message(err) != test.want {
			t.Errorf("ParseSelector(%q) = %v, error\n     %v\nwant %s", test.in, got, err, test.want)
		}
	}
}

// The canonical text has a space that the text given need not have: what is
// accepted must still be short enough to be read back from the road.
func TestParseSelectorBoundsCanonicalText(t *testing.T) {
	t.Parallel()
	var parts []string
	for i := range 85 {
		parts = append(parts, fmt.Sprintf("t%02d in(x,y)", i))
	}
	text := strings.Join(parts, ",")
	if len(text) > 1024 {
		t.Fatalf("the text given has %d bytes", len(text))
	}
	_, err := hive.ParseSelector(text)
	if want := "selector: 1104 bytes, at most 1024 allowed"; message(err) != want {
		t.Errorf("ParseSelector of %d sets = %v, want %q", len(parts), err, want)
	}
}

func TestSelectorMatches(t *testing.T) {
	t.Parallel()
	tags := hive.Tags{"gpu": "true", "zone": "eu", "mem_gb": "16", "load": "-0.5", "model": "a100", "odd": "NaN", "big": "inf"}
	for _, test := range []struct {
		selector string
		want     bool
	}{
		{"", true},
		{"gpu", true},
		{"spot", false},
		{"!gpu", false},
		{"!spot", true},
		{"gpu=true", true},
		{"gpu=false", false},
		{"spot=true", false},
		{"zone!=us", true},
		{"zone!=eu", false},
		{"spot!=true", true},
		{"zone in (eu,us)", true},
		{"zone in (us)", false},
		{"spot in (true,false)", false},
		{"zone notin (us)", true},
		{"zone notin (eu,us)", false},
		{"spot notin (true)", true},
		{"mem_gb=16.0", false}, // text, not number
		{"mem_gb>16", false},
		{"mem_gb>15.9", true},
		{"mem_gb>=16", true},
		{"mem_gb>=16.0", true},
		{"mem_gb>=17", false},
		{"mem_gb<16", false},
		{"mem_gb<100", true}, // as numbers: the text 100 is smaller than 16
		{"mem_gb<=16", true},
		{"mem_gb<=15", false},
		{"load<0", true},
		{"load>-1", true},
		{"spot>0", false},
		{"spot<=0", false},
		{"model>0", false}, // not a number
		{"model<=0", false},
		{"odd>0", false},
		{"odd<=0", false},
		{"big>0", false},
		{"gpu=true,zone=eu", true},
		{"gpu=true,zone=us", false},
		{"mem_gb>8,mem_gb<32", true},
		{"gpu,!gpu", false},
	} {
		s, err := hive.ParseSelector(test.selector)
		if err != nil {
			t.Fatalf("ParseSelector(%q) = %v", test.selector, err)
		}
		if got := s.Matches(tags); got != test.want {
			t.Errorf("%q matches %v = %v, want %v", s, tags, got, test.want)
		}
	}
}

func TestMissingTagMeets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"x": false, "x=1": false, "x in (1)": false, "x>1": false, "x>=1": false, "x<1": false, "x<=1": false,
		"!x": true, "x!=1": true, "x notin (1)": true,
	} {
		s, err := hive.ParseSelector(text)
		if err != nil {
			t.Fatalf("ParseSelector(%q) = %v", text, err)
		}
		for _, tags := range []hive.Tags{nil, {}, {"y": "1"}} {
			if got := s.Matches(tags); got != want {
				t.Errorf("%q matches %v = %v, want %v", s, tags, got, want)
			}
		}
	}
}

func TestSelectorText(t *testing.T) {
	t.Parallel()
	type doc struct {
		Requires hive.Selector `json:"requires,omitempty"`
	}
	for _, text := range []string{`{"requires":"gpu=true,zone in (eu,us)"}`, `{}`} {
		var d doc
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatalf("Unmarshal(%s) = %v", text, err)
		}
		if got, err := json.Marshal(d); string(got) != text || err != nil {
			t.Errorf("Marshal = %s, %v, want %s", got, err, text)
		}
	}
	var d doc
	err := json.Unmarshal([]byte(`{"requires":"a="}`), &d)
	if want := `selector "a=": tag a: value "": ` + wantValue; !strings.HasSuffix(message(err), want) {
		t.Errorf("Unmarshal of a malformed selector = %v, want %q", err, want)
	}
}

// requirementText draws the text of one requirement, spaced in any legal way.
func requirementText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		key, gap := tagKeys.Draw(t, "key"), rapid.SampledFrom([]string{"", " ", "\t "})
		g := func() string { return gap.Draw(t, "gap") }
		number := rapid.SampledFrom([]string{"0", "8", "16", "16.5", "-1", "1e3"})
		word := rapid.OneOf(number, rapid.SampledFrom([]string{"true", "eu", "us", "in"}))
		switch op := rapid.SampledFrom([]string{"", "!", "=", "!=", ">", ">=", "<", "<=", "in", "notin"}).Draw(t, "op"); op {
		case "", "!":
			return g() + op + g() + key + g()
		case "=", "!=":
			return g() + key + g() + op + g() + word.Draw(t, "value") + g()
		case "in", "notin":
			values := rapid.SliceOfN(word, 1, 3).Draw(t, "values")
			return g() + key + " " + g() + op + g() + "(" + g() + strings.Join(values, g()+","+g()) + g() + ")" + g()
		default:
			return g() + key + g() + op + g() + number.Draw(t, "value") + g()
		}
	})
}

func parse(t *rapid.T, text string) hive.Selector {
	s, err := hive.ParseSelector(text)
	if err != nil {
		t.Fatalf("ParseSelector(%q) = %v", text, err)
	}
	return s
}

func TestSelectorsInAnyOrderAreOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(requirementText(), 0, 6).Draw(t, "requirements")
		other := rapid.Permutation(parts).Draw(t, "permutation")
		if len(parts) > 0 {
			other = append(other, parts[0]) // a requirement said twice is one
		}
		a, b := parse(t, strings.Join(parts, ",")), parse(t, strings.Join(other, ","))
		if a.String() != b.String() || !reflect.DeepEqual(a, b) {
			t.Fatalf("%q and %q are %q and %q, want one text", parts, other, a, b)
		}
		if again := parse(t, a.String()); !reflect.DeepEqual(again, a) {
			t.Fatalf("ParseSelector(%q) = %q, want the same", a, again)
		}
	})
}

func TestSelectorMatchesAllOfIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(requirementText(), 0, 4).Draw(t, "requirements")
		tags := tagSet().Draw(t, "tags")
		want := !slices.ContainsFunc(parts, func(p string) bool { return !parse(t, p).Matches(tags) })
		if got := parse(t, strings.Join(parts, ",")).Matches(tags); got != want {
			t.Fatalf("%q matches %v = %v, want %v", parts, tags, got, want)
		}
	})
}

// Each of these requirements is met exactly when its opposite is not; a
// comparison and its opposite both fail for what is not a number.
func TestOppositeRequirements(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key, tags := tagKeys.Draw(t, "key"), tagSet().Draw(t, "tags")
		for _, pair := range [][2]string{
			{key, "!" + key},
			{key + "=eu", key + "!=eu"},
			{key + " in (eu,16)", key + " notin (eu,16)"},
		} {
			if parse(t, pair[0]).Matches(tags) == parse(t, pair[1]).Matches(tags) {
				t.Fatalf("%q and %q agree on %v", pair[0], pair[1], tags)
			}
		}
		numeric := slices.Contains([]string{"8", "16", "16.5", "-1"}, tags[key])
		for _, pair := range [][2]string{{key + ">16", key + "<=16"}, {key + "<16", key + ">=16"}} {
			a, b := parse(t, pair[0]).Matches(tags), parse(t, pair[1]).Matches(tags)
			if a && b || (a || b) != numeric {
				t.Fatalf("%q and %q match %v: %v and %v", pair[0], pair[1], tags, a, b)
			}
		}
	})
}

func FuzzParseSelector(f *testing.F) {
	for _, s := range []string{"", ",", "gpu", "!spot", "gpu=true,zone!=eu", "zone in (eu,us)", "zone notin(eu)", "mem_gb>=16,mem_gb<64",
		"a=b=c", "a>=", "in (x)", "a in ()", "zone in (eu", "!", "a b", "a=,b", "a),b in (c,d)", "a>0x1p4", "a>=nan", "\xff=\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := hive.ParseSelector(text)
		if err != nil {
			if s != nil || strings.Contains(err.Error(), "\n") || !utf8.ValidString(err.Error()) {
				t.Fatalf("ParseSelector(%q) = %v, %q", text, s, err)
			}
			return
		}
		s.Matches(hive.Tags{"gpu": "true", "a": "16"})
		canonical := s.String()
		if again, err := hive.ParseSelector(canonical); err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("ParseSelector(%q) = %q, which is read back as %q, %v", text, canonical, again, err)
		}
		slices.Reverse(s)
		if again, err := hive.ParseSelector(s.String()); err != nil || again.String() != canonical {
			t.Fatalf("ParseSelector(%q) = %q, %v, want %q", s, again, err, canonical)
		}
	})
}
