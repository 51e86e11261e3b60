package e2e

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// exits CODE PROGRAM ARGS... runs a program that must end with the exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// compare is prints LINE... and says LINE...: the whole of stdout or stderr is
// these lines. A * stands for any text within a line; no line: silence.
func compare(ts *testscript.TestScript, neg bool, stream string, want []string) {
	if neg {
		ts.Fatalf("not supported: !")
	}
	got := slices.Collect(strings.Lines(ts.ReadFile(stream)))
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(want):
			ts.Fatalf("%s line %d: unexpected %q", stream, i+1, got[i])
		case i >= len(got):
			ts.Fatalf("%s line %d: missing %q", stream, i+1, want[i])
		case !matches(want[i], strings.TrimSuffix(got[i], "\n")):
			ts.Fatalf("%s line %d:\n got %s\nwant %s", stream, i+1, got[i], want[i])
		}
	}
}

func matches(pattern, s string) bool {
	pattern = strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
	return regexp.MustCompile("^" + pattern + "$").MatchString(s)
}

// fileserver FOLDER serves it as any server of static files does; $URL is where.
func serveFiles(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: fileserver FOLDER")
	}
	server := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	ts.Defer(server.Close)
	ts.Setenv("URL", server.URL)
}

// capture NAME sets a variable to what was printed last.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: capture NAME")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// pollEvery paces what waits for a condition.
const pollEvery = 20 * time.Millisecond

// until STREAM TEXT PROGRAM ARGS... runs a program again and again until its
// stdout or stderr has the text in it.
func until(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: until stdout|stderr TEXT PROGRAM ARGS...")
	}
	giveUp := time.After(patience)
	for {
		err := ts.Exec(args[2], args[3:]...)
		if strings.Contains(ts.ReadFile(args[0]), args[1]) {
			return
		}
		select {
		case <-time.After(pollEvery):
		case <-giveUp:
			ts.Fatalf("no %q on %s (%v)", args[1], args[0], err)
		}
	}
}

// cmpjson FILE WANT compares JSON. In WANT "*" stands for any one value; what
// objects have for keys must be the same.
func compareJSON(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: cmpjson FILE WANT")
	}
	var got, want any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &got))
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &want))
	if err := unify("$", got, want); err != nil {
		ts.Fatalf("%v", err)
	}
}

func unify(at string, got, want any) error {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if keys := slices.Sorted(maps.Keys(want)); !ok || !slices.Equal(keys, slices.Sorted(maps.Keys(object))) {
			return fmt.Errorf("%s is %v, want keys %v", at, got, keys)
		}
		for key := range want {
			if err := unify(at+"."+key, object[key], want[key]); err != nil {
				return err
			}
		}
		return nil
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Errorf("%s is %v, want %d items", at, got, len(want))
		}
		for i := range want {
			if err := unify(fmt.Sprintf("%s[%d]", at, i), list[i], want[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if want != "*" && got != want {
		return fmt.Errorf("%s is %v, want %v", at, got, want)
	}
	return nil
}

var hexComment = regexp.MustCompile(`;.*`)

// unhex FILE OUT turns text such as "00 61 73 6d ; magic" into bytes.
func unhex(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: unhex FILE OUT")
	}
	data, err := fromHex(ts.ReadFile(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o644))
}

func fromHex(text string) ([]byte, error) {
	return hex.DecodeString(strings.Join(strings.Fields(hexComment.ReplaceAllString(text, "")), ""))
}

// text FILE TEXT writes a file that does not end in a newline.
func writeText(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: text FILE TEXT")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]), 0o644))
}

// fill FILE SIZE writes a text file of that many bytes.
func fill(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: fill FILE SIZE")
	}
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat("x", size)), 0o644))
}
