package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTestsThatPagesName: every test that a page of the documentation names is there.
func TestTestsThatPagesName(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	declared, named := regexp.MustCompile(`(?m)^func (Test\w+)\(`), regexp.MustCompile("`(Test[A-Z]\\w+)`")
	there, pages := map[string]bool{}, map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") && filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			there[m[1]] = true
		}
		if filepath.Ext(path) == ".md" {
			pages[path] = string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for path, text := range pages {
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if n++; !there[m[1]] {
				t.Errorf("%s names %s, which there is not", path, m[1])
			}
		}
	}
	if n == 0 {
		t.Error("no page names a test")
	}
}
