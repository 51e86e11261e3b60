package prepare

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestNumbersInTheDocs looks for what the page on programs says of limits.
func TestNumbersInTheDocs(t *testing.T) {
	abi, err := os.ReadFile("../../docs/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("%s entries each, %d tables", thousands(maxTable), maxTables),
		fmt.Sprintf("%s functions", thousands(maxFunctions)),
		fmt.Sprintf("%s locals or %s of code in one function", thousands(maxLocals), fmt.Sprint(maxCode>>20, " MiB")),
		fmt.Sprintf("%s locals in all", thousands(maxAllLocals)),
		fmt.Sprintf("%s parameters or results", thousands(maxParams)),
	} {
		if !strings.Contains(string(abi), want) {
			t.Errorf("docs/abi.md does not say %q", want)
		}
	}
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
