package main

import (
	"os"
	"strings"
	"testing"
)

// corpusFile is one file of the planted corpus, and which of its lines are planted.
type corpusFile struct {
	path    string
	lines   []string
	planted map[int]bool
}

// readCorpus reads testdata/secscan/planted.txt; its README describes the format.
func readCorpus(t *testing.T) []corpusFile {
	t.Helper()
	text, err := os.ReadFile("../../testdata/secscan/planted.txt")
	if err != nil {
		t.Fatal(err)
	}
	var files []corpusFile
	for line := range strings.Lines(strings.ReplaceAll(string(text), "~~", "")) {
		line = strings.TrimSuffix(line, "\n")
		if path, ok := strings.CutPrefix(line, "=== "); ok {
			files = append(files, corpusFile{path: path, planted: map[int]bool{}})
			continue
		}
		if len(files) == 0 {
			t.Fatal("the corpus does not begin with a file")
		}
		f := &files[len(files)-1]
		plant, planted := strings.CutPrefix(line, ">>> ")
		if planted {
			line = plant
			f.planted[len(f.lines)+1] = true
		}
		f.lines = append(f.lines, line)
	}
	return files
}

// TestPlantedCorpus holds the rules against lines whose author has not seen them:
// at least 95 of 100 planted lines are found, and hardly any other.
func TestPlantedCorpus(t *testing.T) {
	t.Parallel()
	planted, found, others, alarms := 0, 0, 0, 0
	for _, f := range readCorpus(t) {
		reported := map[int]string{}
		for _, finding := range Scan(f.path, strings.Join(f.lines, "\n")) {
			reported[finding.Line] = finding.Rule
		}
		for i, line := range f.lines {
			rule, hit := reported[i+1]
			switch {
			case f.planted[i+1] && hit:
				planted++
				found++
			case f.planted[i+1]:
				planted++
				t.Logf("missed %s: %s", f.path, line)
			case hit:
				others++
				alarms++
				t.Logf("false alarm %s (%s): %s", f.path, rule, line)
			default:
				others++
			}
		}
	}
	t.Logf("found %d of %d planted lines; %d alarms on %d other lines", found, planted, alarms, others)
	if planted != 200 || found < planted*95/100 {
		t.Errorf("found %d of %d planted lines, want at least 95 of 100 of 200", found, planted)
	}
	if alarms > others/100 {
		t.Errorf("%d false alarms on %d other lines, want at most 1 of 100", alarms, others)
	}
}
