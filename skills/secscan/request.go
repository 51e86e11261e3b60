package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

type request struct {
	Path *string `json:"path"`
	Text *string `json:"text"`
}

type response struct {
	Findings []Finding `json:"findings"`
}

// answer returns the findings in the file of a request.
func answer(input []byte) ([]byte, error) {
	req, err := readRequest(input)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err = encoder.Encode(response{Findings: Scan(*req.Path, *req.Text)})
	return out.Bytes(), err
}

func readRequest(input []byte) (request, error) {
	var req request
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&req)
	if err == nil {
		err = onlyOneValue(decoder)
	}
	if err != nil {
		return req, fmt.Errorf("bad input: %w", err)
	}
	return req, req.check()
}

func onlyOneValue(decoder *json.Decoder) error {
	if _, err := decoder.Token(); errors.Is(err, io.EOF) {
		return nil
	}
	return errors.New("more than one JSON value")
}

func (r request) check() error {
	if r.Path == nil || *r.Path == "" {
		return errors.New(`bad input: "path" is missing`)
	}
	if r.Text == nil {
		return errors.New(`bad input: "text" is missing`)
	}
	return nil
}
