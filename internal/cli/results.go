package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// resultTable shows the results of any skill as a table. A result that is an
// object with one list of objects gives a row per object: its "line" joins the
// input's name, its other fields are columns. Any other object gives one row of
// its fields; what is no object is shown as it is.
type resultTable struct {
	columns []string // in order of first appearance
	known   map[string]bool
	rows    []resultRow
}

type resultRow struct {
	input string
	cells map[string]string
}

// field is one member of a JSON object, in the order it was written.
type field struct {
	name  string
	value json.RawMessage
}

func (t *resultTable) add(input string, doc json.RawMessage, raw []byte) {
	fields, isObject := objectFields(doc)
	if !isObject {
		text := string(doc)
		if raw != nil {
			text = fmt.Sprintf("%d bytes", len(raw))
		}
		t.row(input, []field{{"result", json.RawMessage(text)}})
		return
	}
	items, ok := onlyList(fields)
	if !ok {
		t.row(input, fields)
		return
	}
	for _, item := range items {
		t.item(input, item)
	}
}

func (t *resultTable) item(input string, fields []field) {
	kept := fields[:0:0]
	for _, f := range fields {
		if f.name == "line" {
			input += ":" + string(f.value)
		} else {
			kept = append(kept, f)
		}
	}
	t.row(input, kept)
}

func (t *resultTable) row(input string, fields []field) {
	if t.known == nil {
		t.known = map[string]bool{}
	}
	cells := make(map[string]string, len(fields))
	for _, f := range fields {
		if !t.known[f.name] {
			t.known[f.name] = true
			t.columns = append(t.columns, f.name)
		}
		cells[f.name] = cellText(f.value)
	}
	t.rows = append(t.rows, resultRow{input, cells})
}

// write prints the table; a single column of long text is printed as lines.
func (t *resultTable) write(w io.Writer) error {
	if len(t.rows) == 0 {
		return nil
	}
	header := append([]string{"INPUT"}, t.columns...)
	for i := range header {
		header[i] = strings.ToUpper(header[i])
	}
	rows := make([][]string, len(t.rows))
	for i, r := range t.rows {
		rows[i] = []string{r.input}
		for _, c := range t.columns {
			rows[i] = append(rows[i], r.cells[c])
		}
	}
	return table(w, header, rows)
}

// onlyList returns the objects of a result whose only list holds objects.
func onlyList(fields []field) (items [][]field, ok bool) {
	lists := 0
	for _, f := range fields {
		var list []json.RawMessage
		if !bytes.HasPrefix(bytes.TrimSpace(f.value), []byte("[")) || json.Unmarshal(f.value, &list) != nil {
			continue
		}
		lists++
		for _, v := range list {
			item, isObject := objectFields(v)
			if !isObject {
				return nil, false
			}
			items = append(items, item)
		}
	}
	return items, lists == 1
}

// objectFields reads the members of a JSON object in order.
func objectFields(doc json.RawMessage) ([]field, bool) {
	d := json.NewDecoder(bytes.NewReader(doc))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	var fields []field
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, false
		}
		fields = append(fields, field{fmt.Sprint(name), value})
	}
	return fields, true
}

// cellText shows strings without quotes and lists of strings joined.
func cellText(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	var list []string
	if json.Unmarshal(v, &list) == nil {
		return strings.Join(list, " ")
	}
	return string(v)
}
