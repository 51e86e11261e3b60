package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hive-spore/hive"
)

// Bounds of a shape. What is beyond is shown as "…".
const (
	shapeDepth = 4   // schemas within each other, references counted
	shapeItems = 12  // members of an object, alternatives
	shapeNodes = 100 // schemas in all: references make many out of few
	shapeBytes = 300
	shapeName  = 40 // bytes of a member's name or a constant
)

// Shape is a schema in one line, for people:
// "object {text: string, sentences?: integer 1..20}". It leaves out what takes more
// words, such as patterns and descriptions. A schema that cannot be put like this is
// "yes", and none at all "no".
func Shape(schema json.RawMessage) string {
	if len(schema) == 0 {
		return "no"
	}
	root, err := decodeJSON("schema", schema)
	if err != nil {
		return "yes"
	}
	s := shaper{root: root, nodes: shapeNodes}
	if text := s.shape(root, shapeDepth); text != unclear {
		return printable(text, shapeBytes)
	}
	return "yes"
}

// unclear stands for a schema that takes more words.
const unclear = "…"

type shaper struct {
	root  any
	nodes int      // that may still be looked at
	open  []string // references that are being shown
}

// unshown are the keywords that decide what fits, in ways that a line cannot show.
var unshown = []string{"allOf", "not", "if", "patternProperties", "propertyNames", "dependentSchemas", "dependentRequired",
	"contains", "prefixItems", "$dynamicRef", "unevaluatedProperties", "unevaluatedItems"}

func (s *shaper) shape(v any, depth int) string {
	if s.nodes--; depth < 0 || s.nodes < 0 {
		return unclear
	}
	if accept, ok := v.(bool); ok {
		return map[bool]string{true: "anything", false: "nothing"}[accept]
	}
	m, ok := v.(map[string]any)
	if !ok || slices.ContainsFunc(unshown, func(key string) bool { return has(m, key) }) || has(m, "$id") && depth < shapeDepth {
		return unclear
	}
	if ref, ok := m["$ref"].(string); ok {
		return s.refer(ref, depth-1)
	}
	if value, ok := m["const"]; ok {
		return constant(value)
	}
	if values, ok := m["enum"].([]any); ok {
		return choice(values, constant)
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if list, ok := m[key].([]any); ok {
			return choice(list, func(v any) string { return s.shape(v, depth-1) })
		}
	}
	return choice(types(m), func(v any) string { return s.typed(m, v, depth) })
}

// refer is the shape of what a reference leads to; within itself it is not shown
// again.
func (s *shaper) refer(ref string, depth int) string {
	if slices.Contains(s.open, ref) {
		return unclear
	}
	s.open = append(s.open, ref)
	defer func() { s.open = s.open[:len(s.open)-1] }()
	return s.shape(s.target(ref), depth)
}

func has(m map[string]any, key string) bool {
	_, ok := m[key]
	return ok
}

// types are the types that a schema names, or else those that its keywords are for.
func types(m map[string]any) []any {
	switch t := m["type"].(type) {
	case []any:
		return t
	case string:
		return []any{t}
	}
	switch {
	case has(m, "properties"), has(m, "required"), has(m, "additionalProperties"):
		return []any{"object"}
	case has(m, "items"):
		return []any{"array"}
	}
	return []any{"anything"}
}

// typed is the shape of those values of a schema that are of one type.
func (s *shaper) typed(m map[string]any, of any, depth int) string {
	switch of {
	case "object":
		return strings.TrimSpace("object " + s.members(m, depth-1))
	case "array":
		text := "array" + span(m, "minItems", "maxItems")
		if items, ok := m["items"]; ok {
			text += " of " + s.shape(items, depth-1)
		}
		return text
	case "string":
		text := "string" + span(m, "minLength", "maxLength")
		if format, ok := m["format"].(string); ok {
			text += " (" + hive.Clip(format, shapeName) + ")"
		}
		return text
	case "integer", "number":
		return fmt.Sprint(of) + span(m, "minimum", "maximum") + bound(m, " >", "exclusiveMinimum") + bound(m, " <", "exclusiveMaximum")
	case "boolean", "null", "anything":
		return fmt.Sprint(of)
	}
	return unclear
}

// members are an object's: those it must have first, in the order they are asked
// for, then the others by name.
func (s *shaper) members(m map[string]any, depth int) string {
	properties, _ := m["properties"].(map[string]any)
	required, _ := m["required"].([]any)
	var shown []string
	add := func(name string, schema any) {
		if len(shown) < shapeItems { // what is not shown need not be looked at
			shown = append(shown, name+": "+s.shape(schema, depth))
		} else if len(shown) == shapeItems {
			shown = append(shown, unclear)
		}
	}
	must := map[string]bool{}
	for _, r := range required {
		if name, ok := r.(string); ok && !must[name] {
			must[name] = true
			if has(properties, name) {
				add(memberName(name), properties[name])
			} else {
				add(memberName(name), true)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if !must[name] {
			add(memberName(name)+"?", properties[name])
		}
	}
	if others, ok := m["additionalProperties"].(map[string]any); ok {
		add("*", others)
	}
	if len(shown) == 0 {
		return ""
	}
	return "{" + strings.Join(shown, ", ") + "}"
}

var simpleName = regexp.MustCompile(`^[\pL_$][\pL\pN_$.-]*$`)

func memberName(name string) string {
	if simpleName.MatchString(name) {
		return hive.Clip(name, shapeName)
	}
	return constant(name)
}

// constant is a value as JSON.
func constant(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return unclear
	}
	return hive.Clip(string(text), shapeName)
}

// choice joins alternatives, each shown once.
func choice(list []any, show func(any) string) string {
	var shown []string
	for _, v := range list {
		if len(shown) == shapeItems {
			shown = append(shown, unclear)
			break
		}
		if text := show(v); !slices.Contains(shown, text) {
			shown = append(shown, text)
		}
	}
	if len(shown) == 0 {
		return unclear
	}
	return strings.Join(shown, " | ")
}

// span is " 1..20", " 1.." or " ..20".
func span(m map[string]any, least, most string) string {
	low, high := bound(m, "", least), bound(m, "", most)
	if low == "" && high == "" {
		return ""
	}
	return " " + low + ".." + high
}

// bound is the number at key after a sign, or nothing.
func bound(m map[string]any, sign, key string) string {
	if n, ok := m[key].(json.Number); ok {
		return sign + hive.Clip(n.String(), shapeName)
	}
	return ""
}

// target is what a reference within the document leads to: a JSON pointer. Nil: it
// is none, or leads nowhere.
func (s *shaper) target(ref string) any {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok || path != "" && path[0] != '/' || strings.Contains(path, "%") {
		return nil
	}
	at := s.root
	for _, step := range strings.Split(path, "/")[1:] {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[step]
	}
	return at
}
