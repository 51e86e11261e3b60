package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/manifest"
)

// input is one payload and what it is called in the output.
type input struct {
	name   string
	data   []byte
	binary bool // a file that is no text
}

// skipped is an input that is not worked on, and why.
type skipped struct{ input, reason string }

// inputs collects what a run works on.
type inputs struct {
	items   []input
	skipped []skipped
}

// sniff is how much of a file tells text from binary.
const sniff = 8000

// gather reads the inputs that args name: each file as one input, each line or
// each JSON value of them.
func gather(ctx context.Context, in io.Reader, args []string, each string) (*inputs, error) {
	var all inputs
	for _, arg := range args {
		var err error
		switch {
		case each != "file":
			err = all.split(in, arg, each)
		case arg == "-":
			err = all.stdin(in)
		default:
			err = all.path(ctx, arg)
		}
		if err != nil {
			return nil, err
		}
	}
	return &all, nil
}

func (all *inputs) stdin(in io.Reader) error {
	data, err := readAtMost(in, "standard input", hive.MaxInline)
	if err != nil {
		return err
	}
	all.items = append(all.items, input{name: "-", data: data})
	return nil
}

func (all *inputs) path(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return inputError(path, err)
	}
	if !info.IsDir() {
		return all.add(path, info, true)
	}
	files, err := tracked(ctx, path)
	if err != nil {
		files, err = all.walk(path + string(filepath.Separator)) // be it a link to a folder
	}
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := all.file(file); err != nil {
			return err
		}
	}
	return nil
}

func inputError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("no such file or directory: %s", path)
	}
	return err
}

// file adds a file of a directory. Links are not followed: what one leads to is
// there itself, or is none of this tree.
func (all *inputs) file(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // tracked, but deleted
	case err != nil:
		return err
	case info.IsDir():
		return nil // a submodule
	case info.Mode()&fs.ModeSymlink != 0:
		all.skip(path, "symbolic link")
		return nil
	}
	return all.add(path, info, false)
}

// add adds a file that can be one payload. One that is no text is skipped if nobody
// named it.
func (all *inputs) add(path string, info fs.FileInfo, named bool) error {
	switch {
	case !info.Mode().IsRegular():
		all.skip(path, "not a regular file")
		return nil
	case info.Size() > hive.MaxPayload || !named && info.Size() > hive.MaxInline:
		all.skip(path, fmt.Sprintf("larger than %s (%d bytes)", map[bool]string{true: "64 MiB", false: "1 MiB"}[named], info.Size()))
		return nil
	}
	data, err := os.ReadFile(path)
	binary := bytes.IndexByte(data[:min(len(data), sniff)], 0) >= 0
	switch {
	case errors.Is(err, fs.ErrPermission):
		all.skip(path, "permission denied")
	case err != nil:
		return err
	case binary && !named:
		all.skip(path, "binary")
	default:
		all.items = append(all.items, input{filepath.ToSlash(path), data, binary})
	}
	return nil
}

func (all *inputs) skip(path, reason string) {
	all.skipped = append(all.skipped, skipped{filepath.ToSlash(path), reason})
}

// tracked lists the files git tracks below dir. It fails where there is no git
// or no repository.
func tracked(ctx context.Context, dir string) ([]string, error) {
	// The repository is not trusted: its configuration must not name a program.
	cmd := exec.CommandContext(ctx, "git", "-C", dir, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "ls-files", "-z")
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0")
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var files []string
	for name := range strings.SplitSeq(string(out), "\x00") {
		if name != "" {
			files = append(files, filepath.Join(dir, filepath.FromSlash(name)))
		}
	}
	if len(files) == 0 {
		return nil, errors.New("git tracks nothing here")
	}
	return files, nil
}

// walk lists all files below dir but those in .git directories.
func (all *inputs) walk(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && errors.Is(err, fs.ErrPermission):
			all.skip(filepath.Clean(path), "permission denied")
			return nil
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case !d.IsDir():
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

// split adds each line or each JSON value of a file, or of standard input ("-").
func (all *inputs) split(in io.Reader, path, each string) error {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return inputError(path, err)
		}
		defer f.Close()
		in = f
	}
	if each == "json" {
		return all.values(in, path)
	}
	return all.lines(in, path)
}

func (all *inputs) lines(in io.Reader, path string) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, hive.MaxInline+2) // a line and how it ends
	n := 1
	for ; lines.Scan() && len(lines.Bytes()) <= hive.MaxInline; n++ {
		all.items = append(all.items, input{name: fmt.Sprintf("%s:%d", path, n), data: bytes.Clone(lines.Bytes())})
	}
	err := lines.Err()
	if errors.Is(err, bufio.ErrTooLong) || len(lines.Bytes()) > hive.MaxInline {
		err = fmt.Errorf("more than %d bytes: %w", hive.MaxInline, hive.ErrTooLarge)
	}
	if err != nil {
		return fmt.Errorf("%s: line %d: %w", path, n, err)
	}
	return nil
}

// values adds the values of a JSON array, or of a stream of JSON values.
func (all *inputs) values(in io.Reader, path string) error {
	r := bufio.NewReader(in)
	d := json.NewDecoder(r)
	array := startsArray(r)
	if array {
		d.Token() // the bracket that was just seen
	}
	for n := 1; ; n++ {
		if array && !d.More() {
			return endOfArray(d, path)
		}
		var v json.RawMessage
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) && !array {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: item %d is not JSON: %w", path, n, err)
		}
		all.items = append(all.items, input{name: fmt.Sprintf("%s#%d", path, n), data: v})
	}
}

// endOfArray reads the closing bracket: an array that was cut short, or that
// something follows, is not what was meant to be run.
func endOfArray(d *json.Decoder, path string) error {
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("%s: the JSON array is cut short: no ] at its end", path)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: something follows the JSON array", path)
	}
	return nil
}

// startsArray reports whether the first character that is not space is a bracket.
func startsArray(r *bufio.Reader) bool {
	for n := 1; n <= r.Size(); n++ {
		b, _ := r.Peek(n)
		if len(b) < n {
			return false
		}
		if c := b[n-1]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c == '['
		}
	}
	return false
}

// payloads turns the inputs into payloads, and skips files that cannot be JSON or
// are too large with what is added.
func (all *inputs) payloads(each string, takesJSON bool, set map[string]json.RawMessage) ([][]byte, error) {
	payloads := make([][]byte, 0, len(all.items))
	kept := all.items[:0]
	for _, in := range all.items {
		if takesJSON && in.binary {
			all.skip(in.name, "binary")
			continue
		}
		p, err := payload(in, each, takesJSON, set)
		if err != nil {
			return nil, err
		}
		if most := map[bool]int{true: hive.MaxInline, false: hive.MaxPayload}[takesJSON]; each == "file" && len(p) > most {
			all.skip(in.name, fmt.Sprintf("larger than %d MiB %s (%d bytes)", most>>20, map[bool]string{true: "as JSON", false: "with --set"}[takesJSON], len(p)))
			continue
		}
		kept, payloads = append(kept, in), append(payloads, p)
	}
	all.items = kept
	return payloads, nil
}

// refused names the input whose payload a skill does not take, where that is why
// none was submitted.
func (all *inputs) refused(skill *hive.Skill, payloads [][]byte, err error) error {
	schema, errSchema := manifest.Compile(skill.Input)
	if errSchema != nil {
		return err
	}
	for i, p := range payloads {
		if bad := schema.Check(p); bad != nil {
			return fmt.Errorf("%s: %w (skill %s)", all.items[i].name, bad, skill.Name)
		}
	}
	return err
}

// payload is what a skill gets for an input: one with an input schema takes JSON,
// so a file becomes {"path", "text"} and set is merged in; one without takes the
// bytes, behind a line of JSON if something is set.
func payload(in input, each string, takesJSON bool, set map[string]json.RawMessage) ([]byte, error) {
	switch {
	case len(set) == 0 && (!takesJSON || each == "json"):
		return in.data, nil
	case !takesJSON:
		line, err := json.Marshal(set)
		return slices.Concat(line, []byte("\n"), in.data), err
	}
	doc := map[string]json.RawMessage{}
	if each == "json" {
		if err := json.Unmarshal(in.data, &doc); err != nil {
			return nil, usagef("%s: --set needs JSON objects", in.name)
		}
	} else {
		doc["path"], _ = json.Marshal(in.name)
		doc["text"], _ = json.Marshal(strings.ToValidUTF8(string(in.data), "\uFFFD"))
	}
	for key, value := range set {
		doc[key] = value
	}
	return json.Marshal(doc)
}

// parseSet reads key=value pairs; a value that is not JSON is a string.
func parseSet(pairs []string) (map[string]json.RawMessage, error) {
	set := map[string]json.RawMessage{}
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, usagef("--set %q: want KEY=VALUE", pair)
		}
		if set[key] = json.RawMessage(value); !json.Valid(set[key]) {
			set[key], _ = json.Marshal(value)
		}
	}
	return set, nil
}
