package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/hive-spore/hive"
)

// Bounds of documents and schemas beyond their bytes. A schema's references
// make work out of nothing, so its running cost is bounded too: see meter.
const (
	maxDepth      = 100  // arrays and objects within each other
	maxSubschemas = 2000 // objects and booleans in a schema
	maxDigits     = 400  // of a number; also its exponent: float64 ends at 308
)

// Schema checks documents against a JSON Schema, draft 2020-12. It is safe for
// concurrent use. A nil Schema accepts everything.
type Schema struct {
	source any // the decoded schema
	work   int // units for one document: maxWork

	mu   sync.Mutex
	idle []*checker // compiled copies: a checker counts, so it serves one caller at a time
}

// Compile reads a JSON Schema of draft 2020-12; none (empty) compiles to nil.
// References must stay within the schema: nothing is loaded from anywhere.
func Compile(schema json.RawMessage) (*Schema, error) {
	if len(schema) == 0 {
		return nil, nil
	}
	if len(schema) > maxSchema {
		return nil, fmt.Errorf("schema: %d bytes, at most %d allowed: %w", len(schema), maxSchema, hive.ErrTooLarge)
	}
	source, err := decodeJSON("schema", schema)
	if err != nil {
		return nil, err
	}
	if n := subschemas(source); n > maxSubschemas {
		return nil, fmt.Errorf("schema: %d objects and booleans, at most %d allowed", n, maxSubschemas)
	}
	s := &Schema{source: source, work: maxWork}
	first, err := newChecker(source)
	if err != nil {
		return nil, err
	}
	s.give(first)
	return s, nil
}

// Check reports why a payload is not what the schema describes, in one line
// that names the place: "payload at /items/3/url: got number, want string".
func (s *Schema) Check(payload []byte) error { return s.check("payload", payload) }

// CheckResult is Check for a result: "result at /score: …".
func (s *Schema) CheckResult(result []byte) error { return s.check("result", result) }

func (s *Schema) check(what string, doc []byte) error {
	if s == nil {
		return nil
	}
	if len(doc) > hive.MaxInline {
		return fmt.Errorf("%s: %d bytes, at most %d allowed: %w", what, len(doc), hive.MaxInline, hive.ErrTooLarge)
	}
	value, err := decodeJSON(what, doc)
	if err != nil {
		return err
	}
	c, err := s.take()
	if err != nil {
		return err
	}
	defer s.give(c)
	return c.check(what, value, s.work)
}

// take returns an idle checker, or a new one when all are at work.
func (s *Schema) take() (*checker, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.idle) - 1; last >= 0 {
		c := s.idle[last]
		s.idle = s.idle[:last]
		return c, nil
	}
	return newChecker(s.source)
}

func (s *Schema) give(c *checker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, c)
}

// decodeJSON decodes one document within the bounds above.
func decodeJSON(what string, doc []byte) (any, error) {
	if !utf8.Valid(doc) {
		return nil, fmt.Errorf("%s is not JSON: it is not UTF-8 text", what)
	}
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	var value any
	err := dec.Decode(&value)
	if err == nil {
		if _, more := dec.Token(); more != io.EOF {
			err = errors.New("something follows the first value")
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s is not JSON: it is empty", what)
	case err != nil:
		return nil, fmt.Errorf("%s is not JSON: %w", what, err)
	}
	if at, problem := outOfBounds(value, maxDepth); problem != "" {
		slices.Reverse(at)
		return nil, line{what + pointer(at), errors.New(problem)}
	}
	return value, nil
}

// outOfBounds refuses what is cheap to write and dear to check: 1e999999 is a
// number of a million digits to a validator that compares exactly. It returns
// the path to the problem, last step first.
func outOfBounds(v any, depth int) (at []string, problem string) {
	if depth < 0 {
		return nil, fmt.Sprintf("nested deeper than %d levels", maxDepth)
	}
	switch v := v.(type) {
	case json.Number:
		if !sizedNumber(v.String()) {
			return nil, "number too long or too large"
		}
	case []any:
		for i, item := range v {
			if at, problem := outOfBounds(item, depth-1); problem != "" {
				return append(at, strconv.Itoa(i)), problem
			}
		}
	case map[string]any:
		for key, item := range v {
			if at, problem := outOfBounds(item, depth-1); problem != "" {
				return append(at, key), problem
			}
		}
	}
	return nil, ""
}

// sizedNumber bounds the digits of a number and the value of its exponent.
func sizedNumber(s string) bool {
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(s), "e")
	if !scientific {
		return len(s) <= maxDigits
	}
	e, err := strconv.Atoi(exponent)
	return err == nil && len(mantissa) <= maxDigits && -maxDigits <= e && e <= maxDigits
}

// subschemas counts what may be a schema.
func subschemas(v any) (n int) {
	switch v := v.(type) {
	case bool:
		return 1
	case []any:
		for _, item := range v {
			n += subschemas(item)
		}
	case map[string]any:
		n = 1
		for _, item := range v {
			n += subschemas(item)
		}
	}
	return n
}
