package skills_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/manifest"
)

type histogram struct {
	Count, Missing         int
	Min, Max, Mean, Stddev *float64
	Quantiles              map[string]*float64
	Below, Above           int
	Bins                   []struct {
		From, To float64
		Count    int
	}
}

// histogram returns what a payload is answered, which must be as the schema says.
func (s *skill) histogram(t testing.TB, payload string) histogram {
	t.Helper()
	result := s.answer(t, []byte(payload))
	schema, err := manifest.Compile(s.folder.Manifest.Output)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.CheckResult(result); err != nil {
		t.Errorf("%v: %s", err, result)
	}
	return readHistogram(t, result)
}

func readHistogram(t testing.TB, result []byte) (h histogram) {
	t.Helper()
	if err := json.Unmarshal(result, &h); err != nil {
		t.Fatalf("%v in %s", err, result)
	}
	return h
}

// near reports whether got is what exact arithmetic says, but for its last digits: at the end of
// what a number can be they decide whether it is one.
func near(got *float64, want float64) bool {
	const end = (1 - 1e-12) * math.MaxFloat64
	switch {
	case got == nil:
		return want > end
	case math.IsInf(want, 1):
		return *got > end
	}
	return math.Abs(*got-want) <= 1e-12*math.Abs(want)
}

// exact returns mean and standard deviation in arithmetic that loses nothing.
func exact(values []float64) (mean, deviation float64) {
	const bits = 5000
	n, sum := new(big.Float).SetInt64(int64(len(values))), new(big.Float).SetPrec(bits)
	for _, x := range values {
		sum.Add(sum, big.NewFloat(x))
	}
	sum.Quo(sum, n)
	squares := new(big.Float).SetPrec(bits)
	for _, x := range values {
		d := new(big.Float).SetPrec(bits).Sub(big.NewFloat(x), sum)
		squares.Add(squares, d.Mul(d, d))
	}
	squares.Quo(squares, n.Sub(n, big.NewFloat(1)))
	mean, _ = sum.Float64()
	deviation, _ = squares.Sqrt(squares).Float64()
	return mean, deviation
}

// checkHistogram compares a histogram with the values it is of.
func checkHistogram(t testing.TB, h histogram, values []float64, missing int) {
	t.Helper()
	sorted := slices.Sorted(slices.Values(values))
	mean, deviation := exact(values)
	if h.Count != len(values) || h.Missing != missing || *h.Min != sorted[0] || *h.Max != sorted[len(sorted)-1] || !near(h.Stddev, deviation) {
		t.Fatalf("%d, %d missing, min %v, max %v, deviation %v, want %d, %d, %v, %v, %v",
			h.Count, h.Missing, *h.Min, *h.Max, h.Stddev, len(values), missing, sorted[0], sorted[len(sorted)-1], deviation)
	}
	if d := math.Abs(*h.Mean - mean); d > 1e-15*math.Abs(mean) && d > 1e-15*deviation {
		t.Errorf("mean %v, want %v", *h.Mean, mean)
	}
	for name, got := range h.Quantiles {
		percent, _ := strconv.ParseFloat(name[1:], 64)
		if below := sorted[int(percent/100*float64(len(sorted)-1))]; *got < below || percent == 50 && len(sorted)%2 == 1 && *got != below {
			t.Errorf("%s is %v, below %v", name, *got, below)
		}
	}
	total := h.Below + h.Above
	for i, bin := range h.Bins {
		last := i == len(h.Bins)-1
		inside := 0
		for _, x := range values {
			if bin.From <= x && (x < bin.To || last && x == bin.To) {
				inside++
			}
		}
		if inside != bin.Count || !last && bin.To != h.Bins[i+1].From {
			t.Errorf("bin %d is %+v, has %d", i, bin, inside)
		}
		total += bin.Count
	}
	if total != len(values) {
		t.Errorf("%d are counted of %d", total, len(values))
	}
}

// TestHistogram compares with exact arithmetic, where that is easy and where it is not.
func TestHistogram(t *testing.T) {
	s := open(t, "histogram")
	random := rand.New(rand.NewPCG(1, 2))
	for name, next := range map[string]func() float64{
		"even":        random.Float64,
		"normal":      func() float64 { return random.NormFloat64()*12 - 3 },
		"far away":    func() float64 { return 1e9 + random.Float64() },
		"whole":       func() float64 { return float64(random.IntN(7)) },
		"wide":        func() float64 { return math.Ldexp(random.NormFloat64(), random.IntN(600)-300) },
		"huge":        func() float64 { return (2*random.Float64() - 1) * math.MaxFloat64 },
		"tiny":        func() float64 { return random.NormFloat64() * 1e-300 },
		"denormal":    func() float64 { return float64(random.IntN(100)) * 5e-324 },
		"neighbours":  func() float64 { return math.Float64frombits(math.Float64bits(1) + uint64(random.IntN(4))) },
		"big whole":   func() float64 { return float64(1<<53 - random.IntN(9)) },
		"both ends":   func() float64 { return math.MaxFloat64 * float64(1-2*random.IntN(2)) },
		"one outlier": func() float64 { return math.Pow(random.Float64(), 90) * 1e20 },
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{2, 3, 100, 1001} {
				values := make([]float64, n)
				for i := range values {
					values[i] = next()
				}
				text, err := json.Marshal(map[string]any{"values": values, "bins": 1 + random.IntN(40)})
				if err != nil {
					t.Fatal(err)
				}
				checkHistogram(t, s.histogram(t, string(text)), values, 0)
			}
		})
	}
}

func TestHistogramCorners(t *testing.T) {
	s := open(t, "histogram")
	for payload, want := range map[string]string{
		`{"values":[]}`: `{"count":0,"missing":0,"min":null,"max":null,"mean":null,"stddev":null,` +
			`"quantiles":{"p1":null,"p5":null,"p25":null,"p50":null,"p75":null,"p95":null,"p99":null},"below":0,"above":0,"bins":[]}`,
		`{"values":[-0.0]}`: `{"count":1,"missing":0,"min":0,"max":0,"mean":0,"stddev":null,` +
			`"quantiles":{"p1":0,"p5":0,"p25":0,"p50":0,"p75":0,"p95":0,"p99":0},"below":0,"above":0,"bins":[{"from":0,"to":0,"count":1}]}`,
	} {
		if got := string(s.answer(t, []byte(payload))); got != want+"\n" {
			t.Errorf("of %s, answers\n%swant\n%s", payload, got, want)
		}
	}
	for payload, want := range map[string]string{
		`{"text":"1 2,3;4\r\n\n5\t6 NaN na NULL", "path":"a.txt"}`:         "6 3 0 0 10",
		`{"path":"ü\n\"","text":"1\u000a\u0032\n3","bins":2}`:              "3 0 0 0 2",
		`{"values":[1],"text":"1"}`:                                        "",
		`{"values":[1,2,3],"min":2}`:                                       "3 0 1 0 10",
		`{"values":[1,2,3],"max":2,"bins":1000}`:                           "3 0 0 1 1000",
		`{"values":[1,2,3],"min":4}`:                                       "3 0 3 0 0",
		`{"values":[1,2,3],"max":0}`:                                       "3 0 0 3 0",
		`{"values":[1,2,3],"min":3}`:                                       "3 0 2 0 1",
		` { "values" : [ 1e0 , null ] , "min" : -1E+2 , "max" : 5.5e-1 } `: "1 1 0 1 10",
		`{"values":[],"min":0,"max":1}`:                                    "0 0 0 0 10",
	} {
		if want == "" {
			s.refuses(t, []byte(payload), `give "values" or "text", once`)
			continue
		}
		h := s.histogram(t, payload)
		if got := fmt.Sprint(h.Count, h.Missing, h.Below, h.Above, len(h.Bins)); got != want {
			t.Errorf("of %s: %s, want %s", payload, got, want)
		}
	}
	big := strings.Repeat("1e-300,", 1<<20/7-10) + "2"
	if h := s.histogram(t, `{"text":"`+big+`"}`); h.Count != 1<<20/7-9 || *h.Max != 2 {
		t.Errorf("of 1 MiB: %d, %v", h.Count, *h.Max)
	}
}

func TestHistogramRefuses(t *testing.T) {
	s := open(t, "histogram")
	for payload, want := range map[string]string{
		"":                               "the request is no JSON object",
		"[1]":                            "the request is no JSON object",
		"{":                              "byte 1 of the request",
		`{"values"`:                      "byte 9 of the request",
		`{"values":[1]`:                  "want , or }",
		`{"values":[1]} {}`:              "more than one JSON value",
		`{}`:                             `"values" and "text" are both missing`,
		`{"values":7}`:                   `"values" is no list`,
		`{"values":[1 2]}`:               "want , or ] after item 1",
		`{"values":[1,"2"]}`:             `"values", item 2`,
		`{"values":[1,true]}`:            `"values", item 2: "true" is no number`,
		`{"values":[1,1e999]}`:           `"values", item 2: "1e999" is too large for a number`,
		`{"values":[1],"bins":0}`:        "want a whole number from 1 to 1000",
		`{"values":[1],"bins":1.5}`:      "want a whole number from 1 to 1000",
		`{"values":[1],"bins":1001}`:     "want a whole number from 1 to 1000",
		`{"values":[1],"min":"a"}`:       `"min" is no number`,
		`{"values":[1],"min":2,"max":2}`: `"min" is not below "max"`,
		`{"values":[1],"colour":2}`:      `unknown field "colour"`,
		`{"text":7}`:                     `"text" is no text`,
		`{"text":"1\n2\nthree"}`:         `line 3: "three" is no number`,
		`{"text":"1 -Inf"}`:              `line 1: "-Inf" is no number`,
		`{"text":"--1"}`:                 `"--1" is no number`,
		`{"text":"1e"}`:                  `"1e" is no number`,
		`{"text":"1e+"}`:                 `"1e+" is no number`,
		`{"text":"."}`:                   `"." is no number`,
		`{"text":"0x10"}`:                `"0x10" is no number`,
		`{"text":"1.2.3"}`:               `"1.2.3" is no number`,
		`{"text":"ü\u0000` + strings.Repeat("long ", 1) + `"}`: `"???long" is no number`,
		`{"text":"` + strings.Repeat("9", 400) + `"}`:          `"99999999999999999999…" is too large for a number`,
		`{"text":"\`:        `"text" is no text`,
		`{"text":"\u00`:     `"text" is no text`,
		`{"text":"1` + "\\": `"text" is no text`,
	} {
		s.refuses(t, []byte(payload), want)
	}
}

// TestHistogramNumbers: numbers are read to the nearest double, as strconv does, and
// written so that they are read as the same.
func TestHistogramNumbers(t *testing.T) {
	s := open(t, "histogram")
	random := rand.New(rand.NewPCG(3, 4))
	texts := []string{"0.1", ".5", "5.", "+7", "007", "1e23", "8.442911973260991817129021e-309", "2.2250738585072011e-308", "5e-324", "2.4703282292062327e-324",
		"2.4703282292062328e-324", "1.7976931348623157e308", "1.7976931348623158e308", "9007199254740993", "9007199254740992.999999999999999999999",
		"9007199254740993." + strings.Repeat("0", 900) + "1", strings.Repeat("0", 5000) + "1", "0." + strings.Repeat("0", 300) + "1e300",
		"1" + strings.Repeat("0", 700) + "e-700", "0e999999999", "1e-999999999", "123456789012345678901234567890", "1.131e49", "4e38"}
	for range 1500 {
		x := math.Abs(math.Float64frombits(random.Uint64()))
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		texts = append(texts, strconv.FormatFloat(x, 'e', random.IntN(25), 64), strconv.FormatFloat(random.ExpFloat64()*1000, 'g', -1, 64))
		if random.IntN(10) == 0 { // exactly between two doubles
			half := new(big.Float).SetPrec(2000).Add(big.NewFloat(x), big.NewFloat(math.Nextafter(x, math.Inf(1))))
			texts = append(texts, half.Quo(half, big.NewFloat(2)).Text('e', 760))
		}
	}
	for _, text := range texts {
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue // rounded beyond the largest
		}
		payload := `{"text":"-` + strings.TrimPrefix(text, "+") + `"}`
		if h := readHistogram(t, s.answer(t, []byte(payload))); *h.Min != -want || *h.Max != -want {
			t.Errorf("%.80s is read as %v, want %v", text, -*h.Min, want)
		}
	}
}

// FuzzHistogram: a payload has an answer of its schema, or is refused in words.
func FuzzHistogram(f *testing.F) {
	s := open(f, "histogram")
	for _, seed := range []string{`{"values":[1,null,-2e3],"bins":3,"min":0,"max":9}`, `{"path":"\u00e9","text":"1 2\nNA;4"}`, `{"values":[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		out := s.call(t, payload)
		if f := out.Failure; f != nil && (f.Kind != hive.FailSkill || !f.Permanent || f.Message == "" || !utf8.ValidString(f.Message)) {
			t.Errorf("of %q, the failure is %v", payload, f)
		} else if f == nil {
			s.histogram(t, string(payload))
		}
	})
}
