package rank

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hive-spore/hive/skills/summarize/internal/lang"
)

// text makes a text of one block.
func text(sentences ...string) []Sentence {
	all := make([]Sentence, len(sentences))
	for i, s := range sentences {
		all[i].Text = s
	}
	return all
}

func TestSelect(t *testing.T) {
	tests := []struct {
		name string
		text []Sentence
		n    int
		want []int
	}{
		{name: "nothing", n: 3},
		{name: "fewer than asked for", text: text("The bees flew home.", "It rained all day long."), n: 3, want: []int{0, 1}},
		{name: "only stop words", text: text("It is.", "So what?"), n: 1, want: []int{0}},
		{
			name: "the sentence that the others are about",
			text: text(
				"Weather was mild and dry in most parts of the country.",
				"A museum in the capital showed old paintings.",
				"Beekeepers of the valley lost honey in August.",
				"Wasps stole honey from the hives of the valley, and beekeepers lost half of their bees.",
				"Half of the bees died when wasps came to the hives."),
			n: 1, want: []int{3},
		},
		{
			name: "no near-identical pair",
			text: text(
				"The council of Calder voted on Monday to build a new bridge over the river.",
				"The council of Calder voted on Monday to build a new bridge over the river Aire.",
				"The council of Calder voted Monday to build a new bridge over the river.",
				"Fishermen protest because salmon spawn under the old arches."),
			n: 3, want: []int{0, 3},
		},
		{
			name: "a sentence that repeats itself is taken once",
			text: text(slices.Repeat([]string{"The bees of the valley flew home before the rain."}, 5)...),
			n:    3, want: []int{0},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Select(tt.text, lang.English, tt.n); !slices.Equal(got, tt.want) {
				t.Errorf("Select = %v, want %v", got, tt.want)
			}
		})
	}
}

// TestSelectIsDeterministic runs over a text long enough for every map inside
// to be iterated in another order.
func TestSelectIsDeterministic(t *testing.T) {
	long := manySentences(maxCandidates + 50)
	want := Select(long, lang.English, 20)
	for range 2 {
		if got := Select(long, lang.English, 20); !slices.Equal(got, want) {
			t.Fatalf("Select = %v, then %v", want, got)
		}
	}
}

// manySentences makes n sentences that share words in a regular way.
func manySentences(n int) []Sentence {
	all := make([]Sentence, n)
	for i := range all {
		all[i] = Sentence{
			Text:  fmt.Sprintf("Hive%d sends drone%d through tunnel%d towards garden%d tonight.", i, i%7, i%31, i%101),
			Block: i / 5,
		}
	}
	return all
}

func TestCandidates(t *testing.T) {
	words := make([][]string, 20)
	for i := range words {
		words[i] = []string{fmt.Sprint("word", i), "rare", "and", "short", "one", "two"}[:1+i%6]
	}
	words[17] = slices.Repeat([]string{"rare"}, 6)
	got := candidates(words, 6)
	if len(got) != 6 || !slices.IsSorted(got) {
		t.Errorf("candidates = %v, want 6 in ascending order", got)
	}
	if got[0] != 0 || !slices.Contains(got, 17) {
		t.Errorf("candidates = %v, want the first sentence and the one of frequent words", got)
	}
	if all := candidates(words, 20); len(all) != 20 {
		t.Errorf("candidates = %v, want all 20", all)
	}
}

// TestCentrality checks the walk on graphs whose distribution is known.
func TestCentrality(t *testing.T) {
	star := graph{{0, 1, 1, 1}, {1, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}}
	hub := (0.15/4 + 0.85*3*0.15/4) / (1 - 0.85*0.85) // from the balance of hub and leaves
	leaf := (1 - hub) / 3
	tests := []struct {
		name string
		g    graph
		want []float64
	}{
		{"no sentence", graph{}, nil},
		{"one", newGraph(1), []float64{1}},
		{"no edges", newGraph(2), []float64{0.5, 0.5}},
		{"a pair and a loner", graph{{0, 1, 0}, {1, 0, 0}, {0, 0, 0}}, []float64{0.4651, 0.4651, 0.0698}},
		{"star", star, []float64{hub, leaf, leaf, leaf}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.g.centrality()
			if len(got) != len(tt.want) {
				t.Fatalf("centrality = %v, want %v", got, tt.want)
			}
			for i := range got {
				if math.Abs(got[i]-tt.want[i]) > 1e-4 {
					t.Errorf("centrality = %v, want %v", got, tt.want)
				}
			}
		})
	}
}

func TestSimilarity(t *testing.T) {
	tests := []struct {
		a, b     string
		lang     lang.Language
		min, max float64
	}{
		{"The bees fly home.", "The bees fly home!", lang.English, 0.999, 1.001},
		{"The bees fly home.", "And it was so.", lang.English, 0, 0},
		{"The bees fly home.", "Painters sell canvases.", lang.English, 0, 0},
		{"Die letzte Lehmglocke", "Eine Glocke aus Bronze", lang.German, 0.1, 0.6},
		{"In den Städten", "Eine Stadt im Norden", lang.German, 0.05, 0.6},
		{"Tramwaj jedzie do Krakowa", "Tramwajem przez Kraków", lang.Polish, 0.2, 0.8},
	}
	for _, tt := range tests {
		words := [][]string{contentWords(tt.a, tt.lang), contentWords(tt.b, tt.lang)}
		got := similarities(vectorsOf(words, []int{0, 1}))[0][1]
		if got < tt.min || got > tt.max {
			t.Errorf("similarity of %q and %q = %.3f, want %.3f to %.3f", tt.a, tt.b, got, tt.min, tt.max)
		}
	}
}

func TestTerms(t *testing.T) {
	got := terms(contentWords("The hive’s Zürich bees don't buzz 42", lang.English))
	want := strings.Fields("=hive's hive' ive's =zurich zuric urich =bees bees =buzz buzz =42 42")
	if !slices.Equal(got, want) {
		t.Errorf("terms = %q, want %q", got, want)
	}
}

func TestAppeal(t *testing.T) {
	const plain = "The bees of the valley flew home before the rain."
	tests := []struct {
		name           string
		better         string
		betterPosition int
		worse          string
		worsePosition  int
	}{
		{"first", plain, 0, plain, 1},
		{"figure", "The 300 bees of the valley flew home before the rain.", 9, plain, 9},
		{"direct speech", plain, 9, "“The bees of the valley flew home,” she said quietly.", 9},
		{"half a quotation", plain, 9, "The bees of the valley flew home before the rain.”", 9},
		{"very short", plain, 9, "The bees flew.", 9},
	}
	for _, tt := range tests {
		better, worse := appeal(tt.better, tt.betterPosition), appeal(tt.worse, tt.worsePosition)
		if better <= worse {
			t.Errorf("%s: appeal %.3f of %q is not above %.3f of %q", tt.name, better, tt.better, worse, tt.worse)
		}
	}
}

// TestPickPrefersWhatStandsAlone checks that "It" needs its predecessor.
func TestPickPrefersWhatStandsAlone(t *testing.T) {
	p := picker{
		similar: newGraph(3), scores: []float64{0.3, 0.33, 0.32},
		dangling: []bool{false, true, false}, position: []int{0, 1, 2},
	}
	if got := p.pick(1); !slices.Equal(got, []int{2}) {
		t.Errorf("picked %v, want the sentence that does not dangle", got)
	}
	p = picker{
		similar: newGraph(3), scores: []float64{0.5, 0.33, 0.32},
		dangling: []bool{false, true, false}, position: []int{0, 1, 2},
	}
	if got := p.pick(2); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("picked %v, want the pair that belongs together", got)
	}
}
