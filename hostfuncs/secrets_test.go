package hostfuncs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hive-spore/hive"
)

// keeper is a guest that may read the secrets named.
func keeper(t testing.TB, kept map[string]string, allow ...string) (*grantee, *bytes.Buffer) {
	var said bytes.Buffer
	return newGrantee(t, &Attempt{Allow: hive.Allow{Secrets: allow}, Log: &said, Secrets: func(name string) (string, bool) {
		value, ok := kept[name]
		return value, ok
	}}), &said
}

func TestSecret(t *testing.T) {
	g, _ := keeper(t, map[string]string{"API_TOKEN": "s3cret-value", "other": "x", "empty": ""}, "API_TOKEN", "gone", "empty")
	g.gets("s3cret-value", "secret", "API_TOKEN")
	g.gets("", "secret", "empty")
	g.wants(errAbsent, "secret", "gone")
	g.wants(errDenied, "secret", "other")
	for _, name := range []string{"", "a/b", "a b", "API_TOKEN\x00", "\xff", strings.Repeat("x", 65), strings.Repeat("x", 1<<10)} {
		g.wants(errInvalid, "secret", name)
	}
	g.refuses("secret", []uint64{0, 0}, 0)
	g.Secrets = nil
	if why := g.wants(errUnavailable, "secret", "API_TOKEN"); why != "this spore keeps no secrets" {
		t.Errorf("it says %q", why)
	}
}

// TestSecretsStayOutOfTheLog: only those that were read, since the others are not
// known to be any.
func TestSecretsStayOutOfTheLog(t *testing.T) {
	long := strings.Repeat("pem-", 100)
	g, said := keeper(t, map[string]string{"a": "s3cret", "b": "s3cret-and-more", "short": "12345", "long": long}, "a", "b", "short", "long")
	for _, step := range []struct{ read, say, want string }{
		{"", "before s3cret", "info: before s3cret\n"},
		{"a", "x s3crets3cret y", "info: x [secret][secret] y\n"},
		{"b", "s3cret-and-more s3cret-and", "info: [secret] [secret]-and\n"},
		{"b", "two\ns3cret\n", "info: two\n[secret]\n"},
		{"short", "12345", "info: 12345\n"},
		// The bound of an entry cuts the value short.
		{"long", strings.Repeat("x", maxLine-9) + long, "info: " + strings.Repeat("x", maxLine-9) + "[secret]…\n"},
		{"", "ends in " + long[:40], "info: ends in [secret]\n"},
		{"", "ends in " + long[:5], "info: ends in pem-p\n"},
	} {
		if step.read != "" {
			g.asks("secret", step.read)
		}
		said.Reset()
		g.wants(0, "log", 1, step.say)
		if said.String() != step.want {
			t.Errorf("%.80q is logged as %q, want %q", step.say, said, step.want)
		}
	}
	if got := g.Redact("an error with s3cret"); got != "an error with [secret]" {
		t.Errorf("elsewhere: %q", got)
	}
	if n := len(g.secrets.values); n != 3 {
		t.Errorf("%d values are remembered, want 3", n)
	}
}

func TestRedactor(t *testing.T) {
	g, _ := keeper(t, map[string]string{"a": "s3cret-value"}, "a")
	var b bytes.Buffer
	r := g.NewRedactor(&b)
	r.Write([]byte("s3cret-value "))
	g.asks("secret", "a")
	for _, tt := range []struct{ pieces, want string }{
		{"a s3cret-value b", "a [secret] b"},
		{"a s3c|ret-|value b", "a [secret] b"},
		{"s|3|c|r|e|t|-|v|a|l|u|e", "[secret]"},
		{"s3cret|-valve", "s3cret-valve"},
		{"s3s3cret-v|alue", "s3[secret]"},
		{"ends in s3cret-", "ends in s3cret-"},
		{"|", ""},
	} {
		b.Reset()
		for piece := range strings.SplitSeq(tt.pieces, "|") {
			if n, err := r.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Errorf("Write(%q) = %d, %v", piece, n, err)
			}
		}
		if err := r.Flush(); err != nil || b.String() != tt.want {
			t.Errorf("%q becomes %q, %v, want %q", tt.pieces, &b, err, tt.want)
		}
	}
}

// FuzzRedactor: however a stream is cut into pieces, it is redacted as a whole would be.
func FuzzRedactor(f *testing.F) {
	f.Add("s3cret-value", "and s3cret-value and", uint8(3))
	f.Add("aaaaaab", "aaaaaaaaaaaab", uint8(1))
	f.Add("ababab", "abababab", uint8(2))
	f.Fuzz(func(t *testing.T, value, text string, size uint8) {
		a := &Attempt{}
		a.readSecret(value)
		var b bytes.Buffer
		r := a.NewRedactor(&b)
		for rest := text; rest != ""; {
			n := min(max(1, int(size)), len(rest))
			r.Write([]byte(rest[:n]))
			rest = rest[n:]
		}
		r.Flush()
		if got, want := b.String(), a.Redact(text); got != want {
			t.Errorf("%q without %q, by %d: %q, want %q", text, value, size, got, want)
		}
	})
}

func FuzzSecret(f *testing.F) {
	f.Add(uint32(16), uint32(5), "token")
	f.Add(uint32(1<<32-1), uint32(1<<32-1), "\x00")
	g, _ := keeper(f, map[string]string{"token": "s3cret-value", "other": "hidden"}, "token")
	f.Fuzz(func(t *testing.T, ptr, n uint32, name string) {
		g.TB = t
		g.module.Memory().WriteString(16, name[:min(len(name), page)])
		if code := g.raw("secret", uint64(ptr), uint64(n)); code < errUnavailable || code >= 0 && string(g.answer) != "s3cret-value" {
			t.Errorf("secret(%d, %d) = %d %q", ptr, n, code, g.answer)
		}
	})
}

func TestSecretsFrom(t *testing.T) {
	dir := t.TempDir()
	for name, value := range map[string]string{"API_TOKEN": "from a file\n", "two.lines": "a\nb\n\n", "empty": "", "most": strings.Repeat("x", maxSecret) + "\n", ".hidden": "x"} {
		write(t, filepath.Join(dir, name), value, 0o600)
	}
	t.Setenv("HIVE_SECRET_API_TOKEN", "from the environment")
	t.Setenv("HIVE_SECRET_OTHER", "only there\n")
	get, err := SecretsFrom(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"API_TOKEN": "from a file", "two.lines": "a\nb\n", "empty": "", "most": strings.Repeat("x", maxSecret), "OTHER": "only there\n"} {
		if got, ok := get(name); got != want || !ok {
			t.Errorf("%s is %.80q, %v, want %.80q", name, got, ok, want)
		}
	}
	for _, name := range []string{".hidden", "", "none", "../" + filepath.Base(dir) + "/empty"} {
		if got, ok := get(name); ok {
			t.Errorf("%q is %.80q", name, got)
		}
	}
	if get, err := SecretsFrom(""); err != nil {
		t.Error(err)
	} else if got, _ := get("API_TOKEN"); got != "from the environment" {
		t.Errorf("without a folder it is %q", got)
	}
}

// TestSecretsFromRefuses: the error names the file and what to do, never the value.
func TestSecretsFromRefuses(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	write(t, outside, "hunter2", 0o600)
	for want, put := range map[string]func(path string) error{
		"token: others may read it (mode 0644): chmod 600 it": func(p string) error { write(t, p, "hunter2", 0o644); return nil },
		"token: others may read it (mode 0640)":               func(p string) error { write(t, p, "hunter2", 0o640); return nil },
		"token: more than 65536 bytes":                        func(p string) error { return os.WriteFile(p, bytes.Repeat([]byte("hunter2"), 1<<14), 0o600) },
		"token: more than 65536 bytes ":                       func(p string) error { return os.WriteFile(p, make([]byte, maxSecret+1), 0o600) },
		"token: not a regular file":                           func(p string) error { return os.Mkdir(p, 0o700) },
		"token: path escapes from parent":                     func(p string) error { return os.Symlink(outside, p) },
		`"a b": want a name`: func(p string) error {
			return os.WriteFile(filepath.Join(filepath.Dir(p), "a b"), []byte("hunter2"), 0o600)
		},
	} {
		dir := t.TempDir()
		if err := put(filepath.Join(dir, "token")); err != nil {
			t.Fatal(err)
		}
		_, err := SecretsFrom(dir)
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("it is refused with %v, want %q", err, want)
		}
	}
	if _, err := SecretsFrom(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there is none of its errors")
	}
	t.Setenv("HIVE_SECRET_A B", "hunter2")
	if _, err := SecretsFrom(""); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a variable's name: %v", err)
	}
}

// write writes a file with a mode, whatever the umask.
func write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
