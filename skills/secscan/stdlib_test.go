package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// linesPerFalseAlarm is what a reader puts up with: one false alarm in this many lines.
const linesPerFalseAlarm = 20_000

// TestStandardLibrary scans code that is known to be good: what is found there counts as a false alarm.
func TestStandardLibrary(t *testing.T) {
	lines, findings := 0, 0
	for _, file := range standardLibrary(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines += strings.Count(string(text), "\n")
		for _, f := range Scan(file, string(text)) {
			findings++
			t.Logf("%s:%d: %s: %s", file, f.Line, f.Rule, f.Excerpt)
		}
	}
	t.Logf("%d findings in %d lines", findings, lines)
	if findings*linesPerFalseAlarm > lines {
		t.Errorf("%d findings in %d lines are more than one in %d", findings, lines, linesPerFalseAlarm)
	}
}

// standardLibrary lists the sources of the standard library without its tests and without the commands.
func standardLibrary(t *testing.T) []string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	src := filepath.Join(strings.TrimSpace(string(root)), "src")
	var files []string
	err = filepath.WalkDir(src, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "vendor" || path == filepath.Join(src, "cmd")):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
