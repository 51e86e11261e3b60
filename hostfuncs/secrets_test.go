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
	g, _ := keeper(t, map[string]string{"a": "s3cret", "b": "s3cret-and-more", "short": "12345", "long": long}, "a", "b", "short", "long")
	for _, step := range []struct{ read, said, want string }{
		{"", "before s3cret\n", "before s3cret\n"},
		{"a", "x s3crets3cret y\n", "x [secret][secret] y\n"},
		{"b", "s3cret-and-more s3cret-and\n", "[secret] [secret]-and\n"},
		{"b", "two\ns3cret\n", "two\n[secret]\n"},
		{"short", "12345\n", "12345\n"},
		// The bound of an entry cuts the value short, or that of the log does.
		{"long", "info: " + long[:50] + "…\nnext", "info: [secret]…\nnext"},
		{"", "info: " + long[:50] + "\n[log cut here]\n", "info: [secret]\n[log cut here]\n"},
		{"", "ends in " + long[:40], "ends in [secret]"},
		{"", "ends in " + long[:5], "ends in pem-p"},
	} {
		if step.read != "" {
			g.asks("secret", step.read)
		}
		if got := g.Redact(step.said); got != step.want {
			t.Errorf("%.80q becomes %q, want %q", step.said, got, step.want)
		}
	}
	if n := len(g.secrets.values); n != 3 {
		t.Errorf("%d values are remembered, want 3", n)
	}
}

// FuzzRedact: nothing is left of a secret, and what is none stays.
func FuzzRedact(f *testing.F) {
	f.Add("s3cret-value", "and s3cret-value and")
	f.Add("aaaaaab", "aaaaaaaaaaaab…aaaaaa")
	f.Add("ababab", "abababab\n[log cut here]\n")
	f.Fuzz(func(t *testing.T, value, text string) {
		a := &Attempt{}
		a.readSecret(value)
		got := a.Redact(text)
		if len(value) >= minSecret && !strings.Contains(redacted, value) && strings.Contains(strings.ReplaceAll(got, redacted, "\x00"), value) {
			t.Errorf("%q without %q: %q", text, value, got)
		}
		if len(value) < minSecret && got != text {
			t.Errorf("%q without %q: %q", text, value, got)
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
	for name, value := range map[string]string{"API_TOKEN": "from a file\n", "two.lines": "one\ntwo\n\n", "most": strings.Repeat("x", maxSecret) + "\n", ".hidden": "x"} {
		write(t, filepath.Join(dir, name), value, 0o600)
	}
	if err := os.Mkdir(filepath.Join(dir, "lost+found"), 0o700); err != nil { // folders are not looked at
		t.Fatal(err)
	}
	t.Setenv("HIVE_SECRET_API_TOKEN", "from the environment")
	t.Setenv("HIVE_SECRET_OTHER", "only there\n")
	get, err := SecretsFrom(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"API_TOKEN": "from a file", "two.lines": "one\ntwo\n", "most": strings.Repeat("x", maxSecret), "OTHER": "only there\n"} {
		if got, ok := get(name); got != want || !ok {
			t.Errorf("%s is %.80q, %v, want %.80q", name, got, ok, want)
		}
	}
	for _, name := range []string{".hidden", "", "none", "../" + filepath.Base(dir) + "/most"} {
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
		"token: everybody may read it, or others change it (mode 0644): want a mode such as 0440 or 0600": func(p string) error { write(t, p, "hunter2", 0o644); return nil },
		"(mode 0620)":                       func(p string) error { write(t, p, "hunter2", 0o620); return nil },
		"token: 4 bytes, at least 6 wanted": func(p string) error { return os.WriteFile(p, []byte("1234\n"), 0o600) },
		"token: more than 65536 bytes":      func(p string) error { return os.WriteFile(p, bytes.Repeat([]byte("hunter2"), 1<<14), 0o600) },
		"token: more than 65536 bytes ":     func(p string) error { return os.WriteFile(p, make([]byte, maxSecret+1), 0o600) },
		"token: path escapes from parent":   func(p string) error { return os.Symlink(outside, p) },
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
