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
		fmt.Sprintf("%s entries to begin with in all, and each at the most; %d tables", thousands(maxTable), maxTables),
		fmt.Sprintf("%s functions", thousands(maxFunctions)),
		fmt.Sprintf("%s locals or %s of code in one function", thousands(maxLocals), fmt.Sprint(maxCode>>20, " MiB")),
		fmt.Sprintf("%s locals in all", thousands(maxAllLocals)),
		fmt.Sprintf("%s parameters or results", thousands(maxParams)),
		fmt.Sprintf("%s values on the stack", thousands(maxOperands)),
	} {
		if !strings.Contains(string(abi), want) {
			t.Errorf("docs/abi.md does not say %q", want)
		}
	}
}

// TestLongNames: wazero repeats the name of a function in each frame of a trap's
// stack. A name section with one that is too long is left out.
func TestLongNames(t *testing.T) {
	for size, kept := range map[int]bool{maxNameLen: true, maxNameLen + 1: false} {
		name := append(uleb([]byte{1, 0}, uint32(size)), strings.Repeat("x", size)...) // one, of function 0
		part := append(uleb([]byte{1}, uint32(len(name))), name...)
		if err := names(&reader{b: part}); (err == nil) != kept {
			t.Errorf("a name of %d bytes: %v", size, err)
		}
	}
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
