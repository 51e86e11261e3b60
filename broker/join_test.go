package broker

import (
	"strings"
	"testing"
)

func TestJoin(t *testing.T) {
	t.Parallel()
	common := parts(`-- a comment
local P, Q = 1, 2 -- unused here
local late
-- another
local function first(a)
  return a + P
end

local unused = 3
late = function()
  return first(1)
end
`)
	for script, want := range map[string]string{
		"return 1\n":          "",
		"return Q -- first\n": "local P, Q = 1, 2\n",
		"return late()\n":     "local P, Q = 1, 2\nlocal late\nlocal function first(a)\n  return a + P\nend\nlate = function()\n  return first(1)\nend\n",
		"return 'unused x'\n": "",
		"return x.unused\n":   "local unused = 3\n", // more than needed is no harm
	} {
		if got := needed(common, script); got != want {
			t.Errorf("needed(%q) =\n%s\nwant\n%s", script, got, want)
		}
	}
}

// TestScriptsSettle: what a script enters is written.
func TestScriptsSettle(t *testing.T) {
	t.Parallel()
	for text, settles := range map[string]bool{
		"count('x', 1)\n": true, "left('a', nil, 1)\n": true, "post('i', 'x')\n": true, "leave(r)\n": true,
		"return now()\n": false, "push('l', {}, true)\n": false,
	} {
		if got := strings.Contains(join(text), "\nsettle()\n"); got != settles {
			t.Errorf("%q settles: %v, want %v", text, got, settles)
		}
	}
}

// TestScriptsThatSettle: the others enter nothing, and pay nothing for it.
func TestScriptsThatSettle(t *testing.T) {
	t.Parallel()
	files, err := luaFiles.ReadDir("lua")
	if err != nil {
		t.Fatal(err)
	}
	var settling []string
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), ".lua")
		if name == "prelude" || name == "foreign" || name == "effects" {
			continue // parts of others
		}
		if strings.Contains(join(lua(name)), "\nsettle()\n") {
			settling = append(settling, name)
		}
	}
	const want = "adopt assign_task cancel commit complete due emit enqueue expire fail fetch lapse mend promote reclaim recount register release retry unregister"
	if got := strings.Join(settling, " "); got != want {
		t.Errorf("these settle: %s\nwant %s", got, want)
	}
}
