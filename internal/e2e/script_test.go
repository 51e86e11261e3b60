package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hive-spore/hive/internal/publisher"
	"github.com/hive-spore/hive/internal/testkit"
)

var update = flag.Bool("update", false, "write what scripts compare with cmp anew")

// TestScript runs testdata/script, which reads like a manual. Beside the commands
// of testscript there are those of commands_test.go.
func TestScript(t *testing.T) {
	makeSkills(t)
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		UpdateScripts:      *update,
		Setup:              setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      exits,
			"fileserver": serveFiles,
			"prints":     func(ts *testscript.TestScript, neg bool, want []string) { compare(ts, neg, "stdout", want) },
			"says":       func(ts *testscript.TestScript, neg bool, want []string) { compare(ts, neg, "stderr", want) },
			"capture":    capture,
			"until":      until,
			"cmpjson":    compareJSON,
			"unhex":      unhex,
			"text":       writeText,
			"fill":       fill,
			"redis":      startRedis,
			"config":     writeConfig,
			"oldredis":   startOldRedis,
		},
	})
}

// patience is how long a test waits for a condition: ten times what it takes on a
// machine that has other things to do.
const patience = 3 * time.Minute

func setup(env *testscript.Env) error {
	env.Vars = append(env.Vars, environment()...)
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("GUEST", skills.guest)
	env.Setenv("PROBE", skills.probe)
	env.Setenv("CAT", skills.cat)
	env.Setenv("TALLY", skills.tally)
	env.Setenv("WORDCOUNT", skills.wordcount)
	return nil
}

// startRedis runs a redis-server for this script; $REDIS is its address,
// and $SOCKET that for redis-cli.
func startRedis(ts *testscript.TestScript, _ bool, args []string) {
	server, err := testkit.StartRedis(args...)
	ts.Check(err)
	ts.Defer(server.Stop)
	ts.Setenv("REDIS", "unix://"+server.Addr)
	ts.Setenv("SOCKET", server.Addr)
	dir := filepath.Join(ts.Getenv("WORK"), "ota")
	_, _, err = publisher.Make(dir)
	ts.Check(err)
	ts.Setenv("OTA", filepath.Join(dir, "hive.toml"))
	ts.Check(os.WriteFile(ts.Getenv("OTA"), []byte(otaConfig(dir)), 0o644))
	ts.Setenv("HIVE_CONFIG", ts.Getenv("OTA"))
}

// otaConfig is a hive.toml of who publishes, keeps and follows the repository in a
// folder that publisher.Make made.
func otaConfig(dir string) string {
	return fmt.Sprintf("[ota]\nrepo = %q\nkeys = %q\nstate_dir = %q\nupdate_every = \"0s\"\n",
		filepath.Join(dir, "repo"), filepath.Join(dir, "keys"), filepath.Join(dir, "state"))
}

// writeConfig makes $REDIS the road of all that follows, by a hive.toml.
func writeConfig(ts *testscript.TestScript, _ bool, _ []string) {
	path := filepath.Join(ts.Getenv("WORK"), "hive.toml")
	text := fmt.Sprintf("[redis]\nurl = %q\n", ts.Getenv("REDIS")) + otaConfig(filepath.Dir(ts.Getenv("OTA")))
	ts.Check(os.WriteFile(path, []byte(text), 0o644))
	ts.Setenv("HIVE_CONFIG", path)
}

// startOldRedis runs what answers like a redis-server of 2020; $OLD is its
// address.
func startOldRedis(ts *testscript.TestScript, _ bool, _ []string) {
	path := filepath.Join(ts.Getenv("WORK"), "old")
	ts.Defer(serveOldRedis(ts, path))
	ts.Setenv("OLD", "unix://"+path)
}
