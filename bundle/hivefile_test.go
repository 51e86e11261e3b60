package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

// from opens programs that are kept in a map.
func from(programs map[string][]byte) func(string) (io.ReadCloser, error) {
	return func(digest string) (io.ReadCloser, error) {
		program, ok := programs[digest]
		if !ok {
			return nil, fmt.Errorf("no such program")
		}
		return io.NopCloser(bytes.NewReader(program)), nil
	}
}

func exported(t testing.TB, b *Bundle, chain string) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := Export(&file, b, []byte(chain), from(samplePrograms)); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// tree lists all files and folders below dir: names, and what is in the files.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		found[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// entries names what is in dir.
func entries(t testing.TB, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestExportImport(t *testing.T) {
	t.Parallel()
	b := sample()
	name := hexDigits(b.Digest())
	for _, chain := range []string{"", "signed\x00metadata"} {
		dir := filepath.Join(t.TempDir(), "new", "folder")
		got, err := Import(bytes.NewReader(exported(t, b, chain)), dir)
		if err != nil {
			t.Fatal(err)
		}
		if got.Bundle.Digest() != b.Digest() || string(got.Chain) != chain || got.Dir != filepath.Join(dir, name) {
			t.Errorf("Import() = %+v", got)
		}
		want := map[string]string{name + "/bundle.json": string(encoded(t, b)), name + "/chain": chain}
		for digest, program := range samplePrograms {
			want[name+"/blobs/sha256/"+hexDigits(digest)+".wasm"] = string(program)
			if data, err := os.ReadFile(got.Program(digest)); err != nil || !bytes.Equal(data, program) {
				t.Errorf("the file Program(%s) = %q, %v, want %q", digest, data, err, program)
			}
		}
		if files := tree(t, dir); !maps.Equal(files, want) {
			t.Errorf("imported %q\nwant %q", files, want)
		}
		checked, kept, err := Check(bytes.NewReader(exported(t, b, chain)))
		if err != nil || checked.Digest() != b.Digest() || string(kept) != chain {
			t.Errorf("Check() = %v, %q, %v", checked, kept, err)
		}
	}
}

// A file begins with what docs/bundles.md says, and is the same each time.
func TestExportIsExact(t *testing.T) {
	t.Parallel()
	b := sample()
	data := encoded(t, b)
	want := "\x89HIVE\r\n\x1a\x00\x00\x00\x01"
	want += string(binary.BigEndian.AppendUint32(nil, uint32(len(data)))) + string(data) + "\x00\x00\x00\x05chain"
	want += "program of count" + "another, of scan" // in the order of digests: 07…, b2…
	sum := sha256.Sum256([]byte(want))
	want += string(sum[:])
	if got := exported(t, b, "chain"); string(got) != want {
		t.Errorf("Export wrote %q\nwant %q", got, want)
	}
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	count := digested([]byte("program of count"))
	with := func(program string) map[string][]byte {
		other := maps.Clone(samplePrograms)
		other[count] = []byte(program)
		return other
	}
	where := "export texts@1.3.0: program " + count + ": "
	for _, tt := range []struct {
		name     string
		programs map[string][]byte
		want     string
	}{
		{"no programs", nil, where + "no such program"},
		{"short", with("program of coun"), where + "ends early"},
		{"long", with("program of counts"), where + "longer than the 16 bytes that the bundle says"},
		{"other bytes", with("program of bount"), where + "its bytes are " + digested([]byte("program of bount"))},
	} {
		var file bytes.Buffer
		if err := Export(&file, sample(), nil, from(tt.programs)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: Export() = %v\nwant %s", tt.name, err, tt.want)
		}
		if _, err := Import(&file, t.TempDir()); err == nil {
			t.Errorf("%s: what Export left is a .hive file", tt.name)
		}
	}
	if err := Export(io.Discard, sample(), make([]byte, MaxChain+1), from(samplePrograms)); !errors.Is(err, hive.ErrTooLarge) {
		t.Errorf("Export() of too much metadata = %v, want ErrTooLarge", err)
	}
	if err := Export(io.Discard, &Bundle{}, nil, from(samplePrograms)); err == nil {
		t.Error("Export() took an empty bundle")
	}
}

// A file appears when it is whole, and an older one stays until then.
func TestExportFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "texts.hive")
	if err := os.WriteFile(path, []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ExportFile(path, sample(), nil, from(nil)); err == nil {
		t.Error("ExportFile() without programs gave no error")
	}
	if files := tree(t, dir); len(files) != 1 || files["texts.hive"] != "older" {
		t.Errorf("after an error there is %q", files)
	}
	if err := ExportFile(path, sample(), []byte("chain"), from(samplePrograms)); err != nil {
		t.Fatal(err)
	}
	if files := tree(t, dir); len(files) != 1 || files["texts.hive"] != string(exported(t, sample(), "chain")) {
		t.Errorf("ExportFile() left %q", files)
	}
}

// limited is a disk with room for so many bytes.
type limited struct{ left int }

var errFull = errors.New("no space left on device")

func (w *limited) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// Wherever the disk is full, Export says so.
func TestExportToFullDisk(t *testing.T) {
	t.Parallel()
	size := len(exported(t, sample(), "chain"))
	for room := range size {
		if err := Export(&limited{room}, sample(), []byte("chain"), from(samplePrograms)); !errors.Is(err, errFull) {
			t.Fatalf("Export() with room for %d of %d bytes = %v, want %v", room, size, err, errFull)
		}
	}
	if err := Export(&limited{size}, sample(), []byte("chain"), from(samplePrograms)); err != nil {
		t.Errorf("Export() with room for all = %v", err)
	}
}

// A file that is cut anywhere, or of which any bit is another, leaves nothing.
func TestImportDamaged(t *testing.T) {
	t.Parallel()
	file := exported(t, sample(), "chain")
	dir := t.TempDir()
	refused := func(what string, n int, data []byte) {
		t.Helper()
		got, err := Import(bytes.NewReader(data), dir)
		if err == nil {
			t.Fatalf("%s %d: Import() = %+v, want an error", what, n, got)
		}
		checkRefusal(t, err)
		if _, _, same := Check(bytes.NewReader(data)); fmt.Sprint(same) != strings.TrimPrefix(err.Error(), "import ") {
			t.Fatalf("%s %d: Check() = %v\nwant %v", what, n, same, err)
		}
		if left := entries(t, dir); len(left) > 0 {
			t.Fatalf("%s %d: Import() left %q", what, n, left)
		}
	}
	for n := range file {
		refused("cut at", n, file[:n])
		damaged := slices.Clone(file)
		damaged[n] ^= 1 << (n % 8)
		refused("changed at", n, damaged)
	}
}

// sealed adds the digest that ends a file.
func sealed(data []byte) []byte {
	sum := sha256.Sum256(data)
	return append(slices.Clone(data), sum[:]...)
}

// A stranger can make all of a file, its digest too.
func TestImportRefuses(t *testing.T) {
	t.Parallel()
	data := encoded(t, sample())
	good := exported(t, sample(), "chain")
	head := string(header(data, []byte("chain")))
	count, scan := "program of count", "another, of scan"
	digest := digested([]byte(count))
	length := func(n int) string { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }
	start := fileMagic + length(1)
	for _, tt := range []struct{ name, file, want string }{
		{"nothing", "", ".hive file: its first bytes: ends early"},
		{"an archive", "PK\x03\x04" + strings.Repeat("\x00", 100), "not a .hive file"},
		{"a short text", "PK", "not a .hive file"},
		{"line ends changed on the way", strings.Replace(string(good), "\r\n", "\n", 1), "not a .hive file"},
		{"a format to come", fileMagic + length(2) + length(0), ".hive file: format 2, this program reads 1"},
		{"a large bundle", start + length(MaxBundle+1), ".hive file: the bundle of 4194305 bytes, at most 4194304 allowed: too large"},
		{"the largest length", start + length(1<<32-1), ".hive file: the bundle of 4294967295 bytes, at most 4194304 allowed: too large"},
		{"a length without bytes", start + length(MaxBundle), ".hive file: the bundle: ends early"},
		{"no bundle", start + length(0) + length(0), ".hive file: bundle: not JSON: it ends early"},
		{"a bundle otherwise spelled", start + length(len(data)+1) + string(data) + "\n",
			fmt.Sprintf(".hive file: bundle: not in its one spelling, from byte %d on; nexus bundle create writes it", len(data))},
		{"large metadata", start + length(len(data)) + string(data) + length(MaxChain+1), ".hive file: the metadata of 16777217 bytes, at most 16777216 allowed: too large"},
		{"programs in another order", string(sealed([]byte(head + scan + count))), "import texts@1.3.0: program " + digest + ": its bytes are " + digested([]byte(scan))},
		{"a program longer", string(sealed([]byte(head + count + "s" + scan))), "import texts@1.3.0: program " + digested([]byte(scan)) + ": its bytes are " + digested([]byte("sanother, of sca"))},
		{"a program missing", string(sealed([]byte(head + count))), "import texts@1.3.0: program " + digested([]byte(scan)) + ": its bytes are "},
		{"another program", string(sealed([]byte(head + strings.ToUpper(count) + scan))), "import texts@1.3.0: program " + digest + ": its bytes are " + digested([]byte(strings.ToUpper(count)))},
		{"a program more", string(sealed([]byte(head + count + scan + "more"))), "import texts@1.3.0: the file is damaged: its digest is not that of its bytes"},
		{"a byte more", string(good) + "\x00", "import texts@1.3.0: the file goes on after its end"},
		{"another file more", string(good) + string(good), "import texts@1.3.0: the file goes on after its end"},
	} {
		dir := t.TempDir()
		got, err := Import(strings.NewReader(tt.file), dir)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: Import() = %v, %v\nwant %s", tt.name, got, err, tt.want)
		}
		if left := entries(t, dir); len(left) > 0 {
			t.Errorf("%s: Import() left %q", tt.name, left)
		}
	}
}

var errBroken = errors.New("input/output error")

// A file that cannot be read is not called damaged.
func TestImportReadError(t *testing.T) {
	t.Parallel()
	file := exported(t, sample(), "chain")
	dir := t.TempDir()
	for n := range file {
		r := io.MultiReader(bytes.NewReader(file[:n]), brokenReader{})
		if _, err := Import(r, dir); !errors.Is(err, errBroken) {
			t.Fatalf("Import() of a file that breaks at %d = %v, want %v", n, err, errBroken)
		}
	}
	if left := entries(t, dir); len(left) > 0 {
		t.Errorf("Import() left %q", left)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

// FuzzImport: what Import takes is what Export writes; all else leaves nothing.
func FuzzImport(f *testing.F) {
	good := exported(f, sample(), "chain")
	f.Add(good, false)
	f.Add(good[:len(good)-sha256.Size], true)
	f.Add([]byte(fileMagic+"\x00\x00\x00\x01\x00\x00\x00\x02{}\x00\x00\x00\x00"), true)
	f.Add([]byte(fileMagic+"\x00\x00\x00\x01\x00\x40\x00\x00"), false)
	f.Fuzz(func(t *testing.T, file []byte, seal bool) {
		if seal {
			file = sealed(file)
		}
		dir := t.TempDir()
		got, err := Import(bytes.NewReader(file), dir)
		if err != nil {
			checkRefusal(t, err)
			if left := entries(t, dir); len(left) > 0 {
				t.Fatalf("Import() left %q", left)
			}
			return
		}
		var again bytes.Buffer
		err = Export(&again, got.Bundle, got.Chain, func(digest string) (io.ReadCloser, error) { return os.Open(got.Program(digest)) })
		if err != nil || !bytes.Equal(again.Bytes(), file) {
			t.Fatalf("%q was imported, and is exported as %q, %v", file, again.Bytes(), err)
		}
	})
}
