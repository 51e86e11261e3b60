package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// safe shows text that came from elsewhere: invalid UTF-8 and control characters
// are escaped, so that it cannot steer a terminal.
func safe(s string) string {
	clean := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	if strings.IndexFunc(s, clean) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\t':
			b.WriteByte(' ')
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// table writes rows in aligned columns.
func table(w io.Writer, header []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(cells []string) {
		for i, cell := range cells {
			if cells[i] = safe(cell); cells[i] == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(t, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	if header != nil {
		line(header)
	}
	for _, row := range rows {
		line(row)
	}
	return t.Flush()
}

// printJSON writes one indented JSON value.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printLine writes one JSON value on a line.
func printLine(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// result shows bytes as what they are: JSON, text, or (base64) bytes.
type result struct {
	JSON   json.RawMessage `json:"result,omitempty"`
	Base64 []byte          `json:"result_base64,omitempty"`
}

func newResult(b []byte) result {
	switch {
	case len(b) == 0:
		return result{}
	case json.Valid(b):
		return result{JSON: b}
	case utf8.Valid(b):
		text, err := json.Marshal(string(b))
		if err == nil {
			return result{JSON: text}
		}
	}
	return result{Base64: b}
}

// stamp is a time as JSON shows it; null if it has not come.
func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// ago shows how long before now something was, for people. Both are by one clock.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return max(0, now.Sub(t)).Round(time.Second).String() + " ago"
}

// wantTime refuses a time of a flag that was given as none: leaving the flag out means
// something else.
func wantTime(cmd *cobra.Command, flag string, d time.Duration) error {
	if d > 0 || !cmd.Flags().Changed(flag) {
		return nil
	}
	return usagef("--%s %v: want more than 0", flag, d)
}

// wantNoneEmpty refuses a flag, by its name and value, that was given but is empty, perhaps a
// variable that is not set: that is not all tasks.
func wantNoneEmpty(given func(flag string) bool, flags ...[2]string) error {
	var errs []error
	for _, flag := range flags {
		if given(flag[0]) && flag[1] == "" {
			errs = append(errs, fmt.Errorf("--%s is empty: leave it out for all tasks", flag[0]))
		}
	}
	return errors.Join(errs...)
}

// plural counts things: "1 task", "2 tasks". many is for words that do not just
// take an s.
func plural(n int, one string, many ...string) string {
	switch {
	case n == 1:
		return "1 " + one
	case len(many) > 0:
		return strconv.Itoa(n) + " " + many[0]
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// wrap breaks a text into lines of at most so many columns, between words.
func wrap(text string, columns int) string {
	var b strings.Builder
	room := columns
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case n < room:
			b.WriteByte(' ')
			room--
		default:
			b.WriteByte('\n')
			room = columns
		}
		b.WriteString(word)
		room -= n
	}
	return b.String()
}
