package bundle

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hive-spore/hive"
)

// maxDepth bounds arrays and objects within each other: a manifest's schema may have
// 101 of them, and lies three deep in a bundle.
const maxDepth = 104

// maxRefusal bounds what is said of hostile bytes.
const maxRefusal = 300

// canonical returns the one spelling of a JSON document. It takes the document apart
// token by token, so that depth is bounded before anything is built, and refuses names
// that are there twice, of which readers would take different ones.
func canonical(what string, doc []byte) ([]byte, error) {
	if !utf8.Valid(doc) {
		return nil, fmt.Errorf("%s: not UTF-8 text", what)
	}
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	value, err := document(dec)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("%s: not JSON: it ends early", what)
	case err != nil:
		return nil, wrong(what, err)
	}
	var spelled bytes.Buffer
	enc := json.NewEncoder(&spelled) // sorts names
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, wrong(what, err)
	}
	return bytes.TrimSuffix(spelled.Bytes(), []byte("\n")), nil
}

// document reads one value and the end.
func document(dec *json.Decoder) (any, error) {
	value, err := next(dec, maxDepth)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("something follows the first value")
	}
	return value, nil
}

// next reads one value of at most depth levels.
func next(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, opens := token.(json.Delim)
	switch {
	case !opens:
		return token, nil
	case depth == 0:
		return nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
	case delim == '[':
		return array(dec, depth-1)
	}
	return object(dec, depth-1)
}

func array(dec *json.Decoder, depth int) (any, error) {
	list := []any{}
	for dec.More() {
		value, err := next(dec, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := dec.Token()
	return list, err
}

func object(dec *json.Decoder, depth int) (any, error) {
	members := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string) // the decoder takes nothing else in its place
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("%.80q is there twice in one object", name)
		}
		if members[name], err = next(dec, depth); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return members, err
}

// wrong says in one printable line of bounded length what is wrong with foreign
// bytes: err's first complaint, and how many more there are.
func wrong(what string, err error) error {
	if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok { // its words are for Go programs
		err = fmt.Errorf("%s: %s is not what belongs there", cmp.Or(bad.Field, "the document"), bad.Value)
	}
	first, rest, more := strings.Cut(strings.TrimPrefix(err.Error(), "json: "), "\n")
	first = hive.Clip(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, first), maxRefusal)
	if more {
		first += fmt.Sprintf(" (and %d more)", strings.Count(rest, "\n")+1)
	}
	return fmt.Errorf("%s: %s", what, first)
}
