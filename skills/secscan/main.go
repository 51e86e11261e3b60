// Command secscan is a Hive command skill that looks through one text file for leaked secrets, for
// insecure code and settings, and for dependencies nobody pinned.
//
// It reads {"path": "...", "text": "..."} on stdin and writes {"findings": [...]} to stdout. The path
// is never opened: it only tells which rules apply. A hive runs one task per file, so a repository is
// scanned by as many nodes as there are.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// maxInput bounds stdin, so that a huge file ends in a message and not in a trap for want of memory.
const maxInput = 16 << 20

type request struct {
	Path *string `json:"path"`
	Text *string `json:"text"`
}

type response struct {
	Findings []Finding `json:"findings"`
}

// memoryLimit makes the garbage collector work harder before the 128 MB of the manifest are used up.
const memoryLimit = 96 << 20

func main() {
	debug.SetMemoryLimit(memoryLimit)
	os.Exit(run(os.Stdin, os.Stdout, os.Stderr))
}

func run(stdin io.Reader, stdout, stderr io.Writer) int {
	if err := serve(stdin, stdout); err != nil {
		fmt.Fprintf(stderr, "secscan: %v\n", err)
		return 1
	}
	return 0
}

func serve(stdin io.Reader, stdout io.Writer) error {
	req, err := readRequest(stdin)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(response{Findings: Scan(*req.Path, *req.Text)})
}

func readRequest(stdin io.Reader) (request, error) {
	var req request
	limited := &io.LimitedReader{R: stdin, N: maxInput + 1}
	decoder := json.NewDecoder(limited)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&req)
	if err == nil {
		err = onlyOneValue(decoder)
	}
	if limited.N == 0 {
		return req, fmt.Errorf("input is larger than %d bytes", maxInput)
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
