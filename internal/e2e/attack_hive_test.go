package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hive-spore/hive/internal/testkit"
)

// hiveFile spells a .hive file, whatever is in it.
func hiveFile(manifest, chain string, programs ...string) []byte {
	part := func(s string) string { return string(binary.BigEndian.AppendUint32(nil, uint32(len(s)))) + s }
	return sealed("\x89HIVE\r\n\x1a\x00\x00\x00\x01" + part(manifest) + part(chain) + strings.Join(programs, ""))
}

func sealed(text string) []byte {
	digest := sha256.Sum256([]byte(text))
	return append([]byte(text), digest[:]...)
}

// tree is every path below a folder, with what it holds.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			fmt.Fprintln(&b, path)
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s %x\n", path, sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is in a hostile .hive file is refused in one line, and nothing is written. TMPDIR
// is where a program unpacks, so that this test has it to itself.
func TestHiveFileAttacks(t *testing.T) {
	makeSkills(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", filepath.Join(dir, "tmp"))
	pub := testkit.NewPublisher(t)
	program, skill := cat(t, "1.0.0")
	pub.RegisterSkill(&skill, program)
	b, err := pub.Repository.Bundle("cat", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	data, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	root, file := filepath.Join(pub.Keys, "root.json"), filepath.Join(dir, "a.hive")
	if err := os.Mkdir(os.Getenv("TMPDIR"), 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, "", "nexus", "bundle", "export", "cat@1.0.0", "--repo", pub.Dir, "--root", root, "-o", file).ends(0)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	start(t, "", "nexus", "bundle", "verify", file, "--root", root).ends(0)

	verify, take := "verify --root "+root, "import --repo "+pub.Dir
	refused := func(name string, hostile []byte, commands ...string) {
		t.Helper()
		if err := os.WriteFile(file, hostile, 0o600); err != nil {
			t.Fatal(err)
		}
		before := tree(t, dir) + tree(t, pub.Dir)
		var all []*process
		for _, command := range commands {
			words := strings.Fields(command)
			all = append(all, start(t, "", "nexus", append([]string{"bundle", words[0], file}, words[1:]...)...))
		}
		for _, p := range all {
			p.ends(1)
			said := p.out.String()
			if strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "nexus: ") || strings.ContainsAny(said, "\x1b\x00") || len(said) > 600 {
				t.Errorf("%s: %s says %q", name, p.name, said)
			}
		}
		if after := tree(t, dir) + tree(t, pub.Dir); after != before {
			t.Errorf("%s: before\n%s\nafter\n%s", name, before, after)
		}
	}
	text := string(data)
	unsealed := string(good[:len(good)-sha256.Size])
	huge := func(at int, n string) []byte { return sealed(unsealed[:at] + n + unsealed[at+4:]) }
	for name, hostile := range map[string][]byte{
		"empty":                 {},
		"half its magic":        good[:4],
		"cut in the bundle":     good[:40],
		"cut in the metadata":   good[:20+len(data)],
		"cut in the program":    good[:len(good)-sha256.Size-3],
		"cut in its digest":     good[:len(good)-1],
		"trailing bytes":        append(bytes.Clone(good), 0),
		"a file after it":       append(bytes.Clone(good), good...),
		"other magic":           sealed("PK\x03\x04" + unsealed[4:]),
		"other format":          huge(8, "\x00\x00\x00\x02"),
		"huge bundle":           huge(12, "\xff\xff\xff\xff"),
		"bundle to 4 MiB":       huge(12, "\x00\x40\x00\x00"),
		"huge metadata":         huge(16+len(data), "\xff\xff\xff\xff"),
		"metadata to 16 MiB":    huge(16+len(data), "\x01\x00\x00\x00"),
		"a way up":              hiveFile(edited(text, `"name":"cat"`, `"name":"../../cat"`), "", string(program)),
		"a way up as a version": hiveFile(strings.ReplaceAll(text, `1.0.0`, `../1.0.0`), "", string(program)),
		"a path as a digest":    hiveFile(edited(text, `"sha256:`, `"sha256:../../`), "", string(program)),
		"a huge program":        hiveFile(edited(text, fmt.Sprintf(`"size":%d`, skill.Size), `"size":67108864`), "", string(program)),
		"another program":       hiveFile(text, "", strings.Repeat("x", len(program))),
		"depth 10,000":          hiveFile(strings.Repeat(`{"a":`, 10_000)+text+strings.Repeat("}", 10_000), "", string(program)),
		"escape sequences":      hiveFile(edited(text, `"name":"cat"`, "\"name\":\"\x1b[2Jcat\""), "", string(program)),
		"NUL":                   hiveFile(edited(text, `"name":"cat"`, `"name":"cat\u0000"`), "", string(program)),
	} {
		refused(name, hostile, "show", verify, take)
	}

	// A file that is whole, and not signed for.
	chain := string(good[20+len(data) : len(good)-sha256.Size-len(program)])
	for name, hostile := range map[string][]byte{
		"no signatures":            hiveFile(text, "", string(program)),
		"other metadata":           hiveFile(text, "x", string(program)),
		"metadata 10,000 deep":     hiveFile(text, strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000), string(program)),
		"half the metadata":        hiveFile(text, chain[:len(chain)/2], string(program)),
		"metadata and more":        hiveFile(text, chain+"{}", string(program)),
		"metadata of other bundle": hiveFile(strings.ReplaceAll(text, "1.0.0", "6.6.6"), chain, string(program)),
	} {
		refused(name, hostile, verify, take)
	}
}
