package manifest

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hive-spore/hive"
)

// Bounds of a manifest's texts, in bytes and counts.
const (
	maxDescription = 1 << 10
	maxArgs        = 64
	maxEnv         = 64
	maxValue       = 4 << 10 // of one argument or variable
	maxEntry       = 200
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// ValidateManifest reports everything that is wrong with a manifest of unknown
// origin: what Load would refuse, it refuses too.
func ValidateManifest(m *hive.Manifest) error {
	c := &complaints{source: "manifest"}
	checkManifest(m, c)
	checkLimits(&m.Limits, c)
	return c.join()
}

// checkManifest holds what is true of every manifest. Limits are checked in
// the units they are given in: by File.keys, and by checkLimits.
func checkManifest(m *hive.Manifest, c *complaints) {
	checkIdentity(m, c)
	checkContract(m.Contract, c)
	if len(m.Entry) > maxEntry || !oneLine(m.Entry) {
		c.add("entry", "want the name of a function, of at most %d bytes", maxEntry)
	}
	checkArgs(m.Args, c)
	checkEnv("env", m.Env, c)
	c.check("requires", checkSelector(m.Requires))
	checkGrants(m.Grants, c)
	checkAllow(m, c)
	checkSchemas(m, c)
}

func checkIdentity(m *hive.Manifest, c *complaints) {
	required := func(key, value string, check func(string) error) {
		switch {
		case c.about(key):
		case value == "":
			c.add(key, "missing")
		default:
			if err := check(value); err != nil { // "skill name …": the key has said that
				c.add(key, "%s", strings.TrimPrefix(strings.TrimPrefix(err.Error(), "skill "), key+" "))
			}
		}
	}
	required("name", m.Name, hive.CheckSkillName)
	required("version", m.Version, hive.CheckVersion)
	if len(m.Description) > maxDescription || !oneLine(m.Description) {
		c.add("description", "want one line of at most %d bytes", maxDescription)
	}
}

func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func checkContract(contract hive.Contract, c *complaints) {
	switch contract {
	case "", hive.ContractCommand, hive.ContractReactor, hive.ContractExtism:
	default:
		c.add("contract", "%.40q: want command, reactor or extism", contract)
	}
}

func checkArgs(args []string, c *complaints) {
	if len(args) > maxArgs {
		c.add("args", "%d of them, at most %d allowed", len(args), maxArgs)
		return
	}
	for i, arg := range args {
		if err := checkValue(arg); err != nil {
			c.add("args", "item %d: %w", i+1, err)
		}
	}
}

// checkValue keeps out what an argument or a variable cannot carry: a zero byte
// ends a C string, and text that is not UTF-8 does not survive JSON.
func checkValue(s string) error {
	switch {
	case len(s) > maxValue:
		return fmt.Errorf("%d bytes, at most %d allowed", len(s), maxValue)
	case strings.ContainsRune(s, 0) || !utf8.ValidString(s):
		return errors.New("want UTF-8 text without zero bytes")
	}
	return nil
}

// checkEnv checks the variables of the table at key.
func checkEnv(key string, env map[string]string, c *complaints) {
	if len(env) > maxEnv {
		c.add(key, "%d variables, at most %d allowed", len(env), maxEnv)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if !envName.MatchString(name) {
			c.add(key+"."+name, "want a name of letters, digits and '_', not beginning with a digit")
		} else {
			c.check(key+"."+name, checkValue(env[name]))
		}
	}
}

// checkSelector reports requirements that ParseSelector would not have made.
func checkSelector(sel hive.Selector) error {
	if len(sel) == 0 {
		return nil
	}
	for _, r := range sel {
		if len(r.Values) == 0 && r.Op != hive.OpExists && r.Op != hive.OpAbsent {
			return fmt.Errorf("%.80q: nothing after the operator", r.Key)
		}
	}
	parsed, err := hive.ParseSelector(sel.String())
	if err == nil && !reflect.DeepEqual(parsed, sel) {
		err = errors.New("not in the form that parsing gives it")
	}
	return err
}

func checkGrants(grants []hive.Grant, c *complaints) {
	if len(grants) > len(hive.Grants) {
		c.add("grants", "%d of them, there are %d", len(grants), len(hive.Grants))
		return
	}
	for i, g := range grants {
		switch {
		case slices.Contains(grants[:i], g):
			c.add("grants", "%.40q is there twice", g)
		case !slices.Contains(hive.Grants, g):
			c.add("grants", "%.40q: unknown grant; known: %s", g, grantNames())
		}
	}
}

func grantNames() string {
	names := make([]string, len(hive.Grants))
	for i, g := range hive.Grants {
		names[i] = string(g)
	}
	return strings.Join(names, ", ")
}

func checkLimits(l *hive.SkillLimits, c *complaints) {
	between := func(key string, n, low, high int64) {
		if n != 0 && (n < low || n > high) {
			c.add(key, "%d bytes: want %d to %d", n, low, high)
		}
	}
	between("limits.memory", l.Memory, minMemory, hive.MaxMemory)
	between("limits.output", l.Output, minOutput, hive.MaxResult)
	between("limits.log", l.Log, 0, hive.MaxLog)
	if l.Fuel < 0 {
		c.add("limits.fuel", "%d: want 1 or more, or none", l.Fuel)
	}
	if l.Time != 0 && (l.Time < minTime || l.Time > hive.MaxTimeout) {
		c.add("limits.time", "%v: want %v to %v", l.Time, minTime, hive.MaxTimeout)
	}
}

// checkSchemas compiles both schemas and tries the example on its own.
func checkSchemas(m *hive.Manifest, c *complaints) {
	input, err := Compile(m.Input)
	c.check("schema.input", err)
	_, err = Compile(m.Output)
	c.check("schema.output", err)
	switch {
	case len(m.Example) > maxExample:
		c.add("example.input", "%d bytes, at most %d allowed", len(m.Example), maxExample)
	case m.Example != nil && input != nil:
		c.check("example.input", input.check("example", m.Example))
	}
}
