package manifest

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// explain puts the one most telling problem below bad in one line:
// "payload at /items/3/url: got number, want string".
func explain(what string, bad *jsonschema.ValidationError) error {
	leaf := telling(bad)
	return line{what + pointer(leaf.InstanceLocation), errors.New(words(leaf))}
}

// pointer returns " at " and the JSON pointer (RFC 6901) of a place, or nothing
// for the whole document.
func pointer(at []string) string {
	if len(at) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(" at ")
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for _, step := range at {
		b.WriteString("/" + escape.Replace(step))
	}
	return printable(b.String(), maxLine/2)
}

// telling descends to the first problem by place. Of alternatives, it takes
// the one that the document seems to mean; if none stands out, the choice
// itself is the problem.
func telling(bad *jsonschema.ValidationError) *jsonschema.ValidationError {
	switch bad.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		return meant(bad)
	case *kind.Contains, *kind.MinContains, *kind.PropertyNames:
		return bad
	}
	if len(bad.Causes) == 0 {
		return bad
	}
	leaves := make([]*jsonschema.ValidationError, len(bad.Causes))
	for i, cause := range bad.Causes {
		leaves[i] = telling(cause)
	}
	return slices.MinFunc(leaves, byPlace)
}

func byPlace(a, b *jsonschema.ValidationError) int {
	if c := slices.CompareFunc(a.InstanceLocation, b.InstanceLocation, byStep); c != 0 {
		return c
	}
	return cmp.Or(
		slices.Compare(a.ErrorKind.KeywordPath(), b.ErrorKind.KeywordPath()),
		strings.Compare(a.SchemaURL, b.SchemaURL))
}

// byStep orders indexes of a list by number and names of members by letter.
func byStep(a, b string) int {
	na, errA := strconv.Atoi(a)
	nb, errB := strconv.Atoi(b)
	if errA == nil && errB == nil {
		return cmp.Compare(na, nb)
	}
	return strings.Compare(a, b)
}

// meant picks the alternative that came furthest.
func meant(bad *jsonschema.ValidationError) *jsonschema.ValidationError {
	var best *jsonschema.ValidationError
	most, alone := -1, true
	for _, cause := range bad.Causes {
		switch reach := reach(cause, len(bad.InstanceLocation)); {
		case reach > most:
			best, most, alone = cause, reach, true
		case reach == most:
			alone = false
		}
	}
	if most <= 0 || !alone {
		return bad
	}
	return telling(best)
}

// reach says how far a document came into an alternative: 0 for the wrong type
// of value, 1 for a wrong constant in it (the usual mark of an alternative), 2
// for anything else.
func reach(bad *jsonschema.ValidationError, depth int) int {
	switch bad.ErrorKind.(type) {
	case *kind.Type, *kind.FalseSchema:
		if len(bad.InstanceLocation) == depth {
			return 0
		}
	case *kind.Const, *kind.Enum:
		return 1
	}
	least := 2
	for _, cause := range bad.Causes {
		least = min(least, reach(cause, depth))
	}
	return least
}

// words says what a problem is, in the validator's words where they are plain.
func words(bad *jsonschema.ValidationError) string {
	switch k := bad.ErrorKind.(type) {
	case *kind.AnyOf:
		return noneOf(bad)
	case *kind.OneOf:
		if len(k.Subschemas) == 2 {
			return "fits alternatives " + strconv.Itoa(k.Subschemas[0]+1) + " and " + strconv.Itoa(k.Subschemas[1]+1) + " of oneOf, want one only"
		}
		return noneOf(bad)
	case *kind.FalseSchema:
		return "nothing is allowed here"
	case *kind.Not:
		return "fits what \"not\" excludes"
	case *kind.AdditionalProperties:
		slices.Sort(k.Properties) // they come in the order of a map
	}
	leaf := jsonschema.ValidationError{ErrorKind: bad.ErrorKind}
	return leaf.BasicOutput().Error.String()
}

// noneOf says what the alternatives want, if all they miss is the type.
func noneOf(bad *jsonschema.ValidationError) string {
	var got string
	var want []string
	for _, cause := range bad.Causes {
		k, ok := telling(cause).ErrorKind.(*kind.Type)
		if !ok || len(cause.InstanceLocation) != len(bad.InstanceLocation) {
			return "fits none of the " + strconv.Itoa(len(bad.Causes)) + " alternatives"
		}
		got = k.Got
		want = append(want, k.Want...)
	}
	slices.Sort(want)
	return "got " + got + ", want " + strings.Join(slices.Compact(want), " or ")
}
