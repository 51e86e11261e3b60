// Package job is what all guests of the benchmark do: see guests/c/job.h.
package job

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

type input struct {
	A    int64  `json:"a"`
	B    int64  `json:"b"`
	Name string `json:"name"`
}

type output struct {
	Sum     int64  `json:"sum"`
	Product int64  `json:"product"`
	Hello   string `json:"hello"`
}

// Do turns {"a":20,"b":22,"name":"bee"} into
// {"sum":42,"product":440,"hello":"bee"}.
func Do(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var in input
	if err := d.Decode(&in); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is more than the job")
	}
	return json.Marshal(output{in.A + in.B, in.A * in.B, in.Name})
}
