package runtime

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamplesInTheDocs: the Go programs that docs/abi.md shows are those that
// the tests run.
func TestExamplesInTheDocs(t *testing.T) {
	abi, err := os.ReadFile("../docs/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"upper", "upper-reactor"} {
		source, err := os.ReadFile(filepath.Join("testdata", name, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(abi), "```go\n"+string(source)+"```\n") {
			t.Errorf("docs/abi.md does not show testdata/%s/main.go as it is", name)
		}
	}
}

// TestNumbersInTheDocs looks for what the page says of limits and errors.
func TestNumbersInTheDocs(t *testing.T) {
	abi, err := os.ReadFile("../docs/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("| `%d` | range |", errRange),
		fmt.Sprintf("Flag %d: permanent", flagPermanent),
	} {
		if !strings.Contains(string(abi), want) {
			t.Errorf("docs/abi.md does not say %q", want)
		}
	}
}
