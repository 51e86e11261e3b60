// Package e2e runs the programs as a user does: whole processes, over a real
// redis-server or none. The test binary is both programs.
package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/hive-spore/hive"
	builder "github.com/hive-spore/hive/internal/build"
	"github.com/hive-spore/hive/internal/cli"
	"github.com/hive-spore/hive/internal/testkit"
)

func TestMain(m *testing.M) {
	// A process that has seen a race exits with 66; by default all others wait a
	// second before they end.
	os.Setenv("GORACE", "atexit_sleep_ms=10")
	if len(os.Args) == 2 && os.Args[1] == "admit" { // the child of a program that runs in a test
		os.Exit(cli.Nexus(os.Args[1:], cli.System()))
	}
	testscript.Main(suite{m}, map[string]func(){
		"nexus": func() { os.Exit(cli.Nexus(os.Args[1:], cli.System())) },
		"spore": func() { os.Exit(cli.Spore(os.Args[1:], cli.System())) },
	})
}

// suite looks after the tests whether they left goroutines.
type suite struct{ *testing.M }

func (s suite) Run() int {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		flag.Set("test.parallel", "4") // they wait more than they work
	}
	code := s.M.Run()
	os.RemoveAll(skills.dir)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// caches is where built and compiled skills are kept from run to run.
var caches = filepath.Join(os.TempDir(), "hive-test-cache")

// skills are what the tests run, built and compiled once.
var skills struct {
	once sync.Once
	err  error
	dir  string // of this run

	guest     string // its payload says what it does; see internal/testkit/guest
	probe     string // its arguments say what it does; see testdata/probe
	tally     string // it counts; see testdata/tally
	failing   string // it fails in the way its payload names; see testdata/failing
	cat       string // its result is its payload; see testdata/cat.hex
	wordcount string // the project's skill, as a folder
}

func makeSkills(t *testing.T) {
	t.Helper()
	skills.once.Do(func() {
		skills.err = errors.New("the guest was not built")
		skills.err = build(testkit.Guest(t))
	})
	if skills.err != nil {
		t.Fatal(skills.err)
	}
}

func build(guest []byte) (err error) {
	s := &skills
	if s.dir, err = os.MkdirTemp("", "hive-e2e-"); err != nil {
		return err
	}
	if s.wordcount, err = filepath.Abs("../../skills/wordcount"); err != nil {
		return err
	}
	probe, errProbe := buildCopy("probe")
	tally, errTally := buildCopy("tally", "../../skills/sdk/go/hive.go")
	failing, errFailing := buildCopy("failing", "../../skills/sdk/go/hive.go")
	wordcount, errWordcount := buildFolder(s.wordcount)
	text, errRead := os.ReadFile("testdata/cat.hex")
	cat, errHex := fromHex(string(text))
	if err := errors.Join(errProbe, errTally, errFailing, errWordcount, errRead, errHex); err != nil {
		return err
	}
	file := func(name string) string { return filepath.Join(s.dir, name+".wasm") }
	s.guest, s.probe, s.tally, s.failing, s.cat = file("guest"), file("probe"), file("tally"), file("failing"), file("cat")
	files := []string{s.guest, s.probe, s.tally, s.failing, s.cat, file("wordcount")}
	for i, program := range [][]byte{guest, probe, tally, failing, cat, wordcount} {
		if err := os.WriteFile(files[i], program, 0o644); err != nil {
			return err
		}
	}
	return testkit.Precompile(filepath.Join(caches, "hive", "code"), files...)
}

// buildCopy builds a folder of testdata with these files added to it.
func buildCopy(name string, beside ...string) ([]byte, error) {
	source := filepath.Join(skills.dir, name)
	err := os.CopyFS(source, os.DirFS(filepath.Join("testdata", name)))
	for _, path := range beside {
		text, errRead := os.ReadFile(path)
		err = errors.Join(err, errRead, os.WriteFile(filepath.Join(source, filepath.Base(path)), text, 0o644))
	}
	if err != nil {
		return nil, err
	}
	return buildFolder(source)
}

func buildFolder(path string) ([]byte, error) {
	_, program, err := skillFolder(path)
	return program, err
}

func skillFolder(path string) (*hive.Skill, []byte, error) {
	return builder.Builder{CacheDir: filepath.Join(caches, "hive")}.Skill(context.Background(), path)
}

// environment is what every process gets: nothing of the developer's but what
// the go command needs.
var environment = sync.OnceValue(func() []string {
	env := []string{"XDG_CACHE_HOME=" + caches, "GORACE=" + os.Getenv("GORACE"), "GOFLAGS=-buildvcs=false"}
	names := []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOTOOLCHAIN"}
	said, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		return env
	}
	for i, value := range strings.Split(strings.TrimSpace(string(said)), "\n") {
		env = append(env, names[i]+"="+value)
	}
	return env
})
