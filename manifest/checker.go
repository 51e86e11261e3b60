package manifest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A schema is compiled under names of our own, which nothing can be loaded from.
const (
	schemaURL = "hive:///schema"
	wrongURL  = "hive:///wrong"
)

// checker is one compiled copy of a schema. It counts, so it serves one caller
// at a time.
type checker struct {
	schema *jsonschema.Schema
	// wrong is {"not": schema}. Within "not" the validator keeps no details, so
	// a document is judged in little memory before its problem is named.
	wrong *jsonschema.Schema
	meter *meter
}

func newChecker(source any) (_ *checker, err error) {
	defer recoverAs("schema", &err)
	c := &checker{meter: &meter{}}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	compiler.UseRegexpEngine(c.meter.compileRegexp)
	if err := compiler.AddResource(schemaURL, source); err != nil {
		return nil, err
	}
	not := map[string]any{"not": map[string]any{"$ref": schemaURL}}
	if err := compiler.AddResource(wrongURL, not); err != nil {
		return nil, err
	}
	if c.schema, err = compiler.Compile(schemaURL); err != nil {
		return nil, schemaError(err)
	}
	if c.wrong, err = compiler.Compile(wrongURL); err != nil {
		return nil, schemaError(err)
	}
	return c, c.meter.attach(c.wrong)
}

// check judges value, then, if it is wrong, looks for what is. The second look
// keeps some 600 bytes for each check that fails, and gets half of the work.
func (c *checker) check(what string, value any, work int) (err error) {
	defer recoverAs(what, &err)
	c.meter.left = work
	if c.wrong.Validate(value) != nil {
		return nil
	}
	c.meter.left = work / 2
	return c.name(what, value)
}

// name says why value is wrong. Only a value that is too large to be looked at
// twice gets no reason.
func (c *checker) name(what string, value any) (err error) {
	defer func() {
		if recover() != nil {
			err = line{what, errors.New("is not what the schema describes")}
		}
	}()
	if bad, ok := errors.AsType[*jsonschema.ValidationError](c.schema.Validate(value)); ok {
		return explain(what, bad)
	}
	return nil
}

// recoverAs turns the meter's panic, and whatever a hostile schema provokes in
// the validator, into an error.
func recoverAs(what string, err *error) {
	if r := recover(); r != nil {
		*err = line{what, fmt.Errorf("cannot be checked: %v", r)}
	}
}

// schemaError says in one line what is wrong with a schema, and where in it.
func schemaError(err error) error {
	if bad, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		if bad, ok := errors.AsType[*jsonschema.ValidationError](bad.Err); ok {
			return explain("schema", bad)
		}
	}
	if bad, ok := errors.AsType[*jsonschema.LoadURLError](err); ok {
		return outside(strings.TrimPrefix(bad.URL, "hive:///"))
	}
	if bad, ok := errors.AsType[*jsonschema.JSONPointerNotFoundError](err); ok {
		return line{"schema", fmt.Errorf("nothing at %s", strings.TrimPrefix(bad.URL, schemaURL))}
	}
	return line{"schema", errors.New(strings.ReplaceAll(err.Error(), schemaURL, ""))}
}

func outside(ref string) error {
	return line{"schema", fmt.Errorf("%.80q is outside of it; only references within the schema are followed", ref)}
}

// noLoader loads nothing.
type noLoader struct{}

func (noLoader) Load(string) (any, error) { return nil, errors.New("nothing is loaded") }
