package broker

import (
	"fmt"
	"strconv"
)

// Scripts answer with lists of strings and numbers; these read them without
// trusting their shape.

func text(v any) string {
	s, _ := v.(string)
	return s
}

func number(v any) int64 {
	switch n := v.(type) {
	case int64:
		return n
	case string:
		i, _ := strconv.ParseInt(n, 10, 64)
		return i
	}
	return 0
}

// list reads a reply whose first element is a status word.
func list(v any, err error) (status string, rest []any, _ error) {
	if err != nil {
		return "", nil, err
	}
	items, ok := v.([]any)
	if !ok || len(items) == 0 {
		return "", nil, fmt.Errorf("unexpected answer %T from redis", v)
	}
	return text(items[0]), items[1:], nil
}
