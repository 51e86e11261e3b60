//go:build !race

package client_test

import "testing"

// TestAllocsSubmit bounds what a task costs before it is on the road. It is without the race
// detector, with which there are more.
func TestAllocsSubmit(t *testing.T) {
	c, _, _ := benchHive(t)
	plain, strict := benchTask, benchTask
	strict.Skill.Name, strict.Payload = "strict", []byte(`{"n":1}`)
	for _, test := range []struct {
		name   string
		allocs float64
		do     func()
	}{
		{"without a schema", 1, func() { // its id
			if _, err := c.Ready(t.Context(), plain); err != nil {
				t.Fatal(err)
			}
		}},
		{"against a schema", 29, func() { // and the payload as a value
			if _, err := c.Ready(t.Context(), strict); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		if n := testing.AllocsPerRun(100, test.do); n > test.allocs {
			t.Errorf("%s: %v allocations, want at most %v", test.name, n, test.allocs)
		}
	}
}
