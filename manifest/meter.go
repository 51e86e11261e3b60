package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A schema of some hundred bytes can ask for 2^30 checks of one value, by
// references that double at each step, and the validator can be neither
// cancelled nor bounded. So every subschema is given a hook that pays for the
// work it is about to start. One unit is about 10 ns.
const (
	unitsEach = 32 // the checks of one value against one subschema
	// maxWork is for one document: 2 million checks, about a second, and 200
	// bytes for each check that fails.
	maxWork = 64 << 20
	// maxChain bounds how many subschemas deep one value is checked: each level
	// holds about 1 KiB of stack, times maxDepth.
	maxChain   = 64
	maxPattern = 4096 // instructions of a regular expression
)

var errTooMuchWork = errors.New("it takes too much work; simplify the schema or the document")

// meter counts down what work a check may still do.
type meter struct{ left int }

func (m *meter) pay(units int) {
	if m.left -= units; m.left < 0 {
		panic(errTooMuchWork)
	}
}

// attach hooks the meter into root and every schema that it leads to.
func (m *meter) attach(root *jsonschema.Schema) error {
	w := walk{meter: m, chains: map[*jsonschema.Schema]int{}, todo: []*jsonschema.Schema{root}}
	for len(w.todo) > 0 {
		last := len(w.todo) - 1
		s := w.todo[last]
		w.todo = w.todo[:last]
		if _, seen := w.chains[s]; seen {
			continue // going round through a value within the value is what recursive schemas do
		}
		if _, err := w.visit(s); err != nil {
			return err
		}
	}
	return nil
}

// walk is one way through all subschemas.
type walk struct {
	meter  *meter
	chains map[*jsonschema.Schema]int // what visit returned; 0: not yet
	todo   []*jsonschema.Schema
}

// visit returns how many subschemas deep s checks one and the same value.
func (w *walk) visit(s *jsonschema.Schema) (chain int, err error) {
	if chain, seen := w.chains[s]; seen {
		if chain == 0 {
			return 0, line{"schema" + location(s), errors.New("refers to itself without end")}
		}
		return chain, nil
	}
	if err := acceptable(s); err != nil {
		return 0, err
	}
	w.chains[s] = 0
	for _, sub := range sameValue(s) {
		n, err := w.visit(sub)
		if err != nil {
			return 0, err
		}
		chain = max(chain, n)
	}
	if chain++; chain > maxChain {
		return 0, line{"schema" + location(s), fmt.Errorf("more than %d references and combinations in each other", maxChain)}
	}
	w.chains[s] = chain
	w.meter.hook(s)
	w.todo = append(append(w.todo, namedValues(s)...), anyValue(s)...)
	return chain, nil
}

// acceptable refuses what could escape the meter: other drafts, which have
// other keywords, and references that are resolved only while checking.
func acceptable(s *jsonschema.Schema) error {
	switch {
	case s.DraftVersion != 2020:
		return line{"schema" + location(s), errors.New("want draft 2020-12 (or no $schema)")}
	case s.DynamicRef != nil:
		return line{"schema" + location(s), errors.New("$dynamicRef is not supported; use $ref")}
	case !strings.HasPrefix(s.Location, schemaURL+"#") && !strings.HasPrefix(s.Location, wrongURL+"#"):
		return outside(s.Location)
	}
	return nil
}

func location(s *jsonschema.Schema) string {
	if _, at, _ := strings.Cut(s.Location, "#"); at != "" {
		return " at " + at
	}
	return ""
}

// hook makes s pay, when it begins, for all that it begins. It stands in the
// place of "format", which this draft only notes: the one keyword with a
// function, called before the validator descends. What comes before it (type,
// const, enum) is in the price of entering s, paid by whoever leads to s.
func (m *meter) hook(s *jsonschema.Schema) {
	own, each, named, dearest := 0, 1, 0, 0
	for _, sub := range sameValue(s) {
		own += price(sub)
	}
	for _, sub := range namedValues(s) {
		named += price(sub)
		dearest = max(dearest, price(sub))
	}
	for _, sub := range anyValue(s) {
		each += price(sub)
	}
	s.Format = &jsonschema.Format{Validate: func(v any) error {
		m.pay(own + each*size(v) + min(named, dearest*size(v)))
		return nil
	}}
}

// price is what one check against s costs by itself, what s leads to left out.
func price(s *jsonschema.Schema) int {
	units := unitsEach + len(s.Required)
	for _, names := range s.DependentRequired {
		units += len(names)
	}
	if s.Enum != nil {
		units += comparing(s.Enum.Values)
	}
	if s.Const != nil {
		units += comparing(*s.Const)
	}
	return units
}

// comparing is what comparing with v costs. Numbers are compared as fractions.
func comparing(v any) (units int) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			units += comparing(item)
		}
	case map[string]any:
		for _, item := range v {
			units += 4 + comparing(item)
		}
	case string, bool, nil:
	default:
		units = unitsEach
	}
	return units + 1
}

func size(v any) int {
	switch v := v.(type) {
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return 0
}

// sameValue returns the subschemas that check the value s checks.
func sameValue(s *jsonschema.Schema) []*jsonschema.Schema {
	subs := present(s.Ref, s.Not, s.If, s.Then, s.Else)
	subs = append(subs, s.AllOf...)
	subs = append(subs, s.AnyOf...)
	subs = append(subs, s.OneOf...)
	for _, sub := range s.DependentSchemas {
		subs = append(subs, sub)
	}
	return subs
}

// namedValues returns the subschemas of which one at most checks each value
// within the value that s checks.
func namedValues(s *jsonschema.Schema) []*jsonschema.Schema {
	subs := append([]*jsonschema.Schema(nil), s.PrefixItems...)
	for _, sub := range s.Properties {
		subs = append(subs, sub)
	}
	return subs
}

// anyValue returns the subschemas that may each check every value within.
func anyValue(s *jsonschema.Schema) []*jsonschema.Schema {
	subs := present(s.Items2020, s.Contains, s.UnevaluatedItems, s.UnevaluatedProperties, s.PropertyNames)
	for _, sub := range s.PatternProperties {
		subs = append(subs, sub)
	}
	if sub, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
		subs = append(subs, sub)
	}
	return subs
}

func present(subs ...*jsonschema.Schema) []*jsonschema.Schema {
	var is []*jsonschema.Schema
	for _, sub := range subs {
		if sub != nil {
			is = append(is, sub)
		}
	}
	return is
}

// pattern is a regular expression that pays for what it reads. Its worst case
// is every instruction at every byte; an eighth of that is already rare.
type pattern struct {
	*regexp.Regexp
	meter *meter
	units int // for 8 bytes
}

func (m *meter) compileRegexp(text string) (jsonschema.Regexp, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > maxPattern {
		return nil, fmt.Errorf("regular expression of %d steps, at most %d allowed", len(program.Inst), maxPattern)
	}
	compiled, err := regexp.Compile(text)
	return &pattern{compiled, m, len(program.Inst)}, err
}

func (p *pattern) MatchString(s string) bool {
	p.meter.pay(unitsEach + p.units*len(s)/8)
	return p.Regexp.MatchString(s)
}
