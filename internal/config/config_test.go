package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/hive-spore/hive"
)

const sampleFile = "../../hive.toml"

// env is a getenv over a fixed environment.
func env(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

// load loads text as a hive.toml, under that name.
func load(t testing.TB, text string, vars map[string]string) (*Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hive.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, env(vars))
	if err != nil { // complaints begin with the path as given
		err = errors.New(strings.ReplaceAll(err.Error(), path, "hive.toml"))
	}
	return c, err
}

func lines(err error) string {
	if err == nil {
		return ""
	}
	return err.Error() + "\n"
}

func TestSampleFileIsTheDefault(t *testing.T) {
	t.Parallel()
	got, err := Load(sampleFile, env(nil))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, Default()) {
		t.Errorf("hive.toml = %+v, want %+v", got, Default())
	}
}

// The sample names every key, each below a comment of its own, in the order
// and the form in which nexus config prints the defaults.
func TestSampleFileNamesEveryKey(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(sampleFile)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	meta, err := toml.Decode(string(text), &tree)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Default().keys() {
		if meta.IsDefined(strings.Split(k.name, ".")...) == k.secret() {
			t.Errorf("hive.toml: %s: secret = %v, named = %v", k.name, k.secret(), !k.secret())
		}
		if k.env != "" && !bytes.Contains(text, []byte("("+k.env)) {
			t.Errorf("hive.toml does not name %s", k.env)
		}
	}
	var bare []string
	comment := false
	for l := range strings.Lines(string(text)) {
		key := strings.Contains(l, " = ") && !strings.HasPrefix(l, "#")
		if key && !comment {
			t.Errorf("hive.toml: no comment above %s", l)
		}
		if comment = strings.HasPrefix(l, "#"); !comment && l != "\n" {
			bare = append(bare, l)
		}
	}
	var out strings.Builder
	if err := Default().WriteTOML(&out); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(bare, ""), strings.ReplaceAll(out.String(), "\n\n", "\n"); got != want {
		t.Errorf("hive.toml without comments:\n%s\nnexus config prints:\n%s", got, want)
	}
}

func TestOrderOfSources(t *testing.T) {
	t.Parallel()
	const file = "[queue]\nmax_retries = 7\ntask_timeout = 20\n"
	c, err := load(t, file, map[string]string{"HIVE_MAX_RETRIES": " 9 "})
	if err != nil {
		t.Fatal(err)
	}
	if c.Queue.MaxRetries != 9 || c.Queue.TaskTimeout != 20*time.Second || c.Queue.ZombieTimeout != 600*time.Second {
		t.Errorf("queue = %+v, want 9 retries (environment), 20s (file), 10m (default)", c.Queue)
	}
}

func TestHiveConfigNamesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.toml")
	if err := os.WriteFile(path, []byte("log.level = \"debug\""), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load("", env(map[string]string{"HIVE_CONFIG": path}))
	if err != nil || c.Log.Level != "debug" {
		t.Errorf("Load = %+v, %v, want level debug", c, err)
	}
	c, err = Load(sampleFile, env(map[string]string{"HIVE_CONFIG": path}))
	if err != nil || c.Log.Level != "info" {
		t.Errorf("Load(hive.toml) = %+v, %v, want level info: the flag wins", c, err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("t", 32)
	c, err := Load("", env(map[string]string{
		"ENABLE_HIVE": "Yes", "REDIS_HOST": "cache", "REDIS_PORT": "7000", "REDIS_DB": "3", "REDIS_PASSWORD": " p w ",
		"HIVE_HIGH_PRIORITY_QUEUE": "urgent", "HIVE_BACKGROUND_QUEUE": "later", "HIVE_BROADCAST_CHANNEL": "all",
		"HIVE_TASK_TIMEOUT": "90", "HIVE_MAX_RETRIES": "0", "HIVE_ZOMBIE_TASK_TIMEOUT": "1h30m", "NEXUS_SHARED_TOKEN": token,
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Redis.Host, want.Redis.Port, want.Redis.DB, want.Redis.Password = "cache", 7000, 3, " p w "
	want.Queue.HighPriorityName, want.Queue.BackgroundName, want.Queue.BroadcastChannel = "urgent", "later", "all"
	want.Queue.TaskTimeout, want.Queue.MaxRetries, want.Queue.ZombieTimeout = 90*time.Second, 0, 90*time.Minute
	want.Nexus.Token = Secret(token)
	if !reflect.DeepEqual(c, want) {
		t.Errorf("Load = %#v, want %#v", c, want)
	}
	if c.Queue.Retries() != hive.NoRetries {
		t.Errorf("Retries = %d, want %d for none", c.Queue.Retries(), hive.NoRetries)
	}
}

func TestDisabled(t *testing.T) {
	t.Parallel()
	for _, no := range []string{"false", "FALSE", "0", "no"} {
		c, err := Load("", env(map[string]string{"ENABLE_HIVE": no, "REDIS_DB": "x"}))
		if !errors.Is(err, hive.ErrDisabled) || c == nil {
			t.Errorf("ENABLE_HIVE=%s: Load = %v, %v, want %v", no, c, err, hive.ErrDisabled)
		}
	}
	c, err := Load("", env(map[string]string{"ENABLE_HIVE": "true"}))
	if err != nil {
		t.Fatal(err)
	}
	c.Enabled = false
	if err := c.Validate(); !errors.Is(err, hive.ErrDisabled) {
		t.Errorf("Validate = %v, want %v", err, hive.ErrDisabled)
	}
}

func TestParsePriority(t *testing.T) {
	t.Parallel()
	c := Default()
	c.Queue.HighPriorityName, c.Queue.BackgroundName = "urgent", "later"
	for s, want := range map[string]hive.Priority{
		"urgent": 8, "later": 2, "high": 8, "high_priority": 8, "background": 2, "0": 0, "10": 10,
	} {
		if got, err := c.ParsePriority(s); err != nil || got != want {
			t.Errorf("ParsePriority(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
	_, err := c.ParsePriority("soon")
	if want := "priority \"soon\": want 0 to 10, urgent or later\n"; lines(err) != want {
		t.Errorf("ParsePriority(soon) = %v, want %s", err, want)
	}
	for _, name := range []string{Default().Queue.HighPriorityName, Default().Queue.BackgroundName} {
		mine, errMine := c.ParsePriority(name)
		theirs, errTheirs := hive.ParsePriority(name)
		if mine != theirs || errMine != nil || errTheirs != nil {
			t.Errorf("default name %q: %d, %v here, %d, %v there", name, mine, errMine, theirs, errTheirs)
		}
	}
}

func TestLogHandler(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := Log{Level: "warn", Format: "json"}
	logger := slog.New(log.Handler(&out))
	logger.Info("quiet")
	logger.Warn("loud", "password", Secret("hunter2"))
	if got := out.String(); strings.Contains(got, "quiet") || strings.Contains(got, "hunter2") || !strings.Contains(got, `"password":"[redacted]"`) {
		t.Errorf("log = %s, want one redacted line of JSON", got)
	}
	out.Reset()
	log = Log{Level: "debug", Format: "text"}
	slog.New(log.Handler(&out)).Debug("said")
	if !strings.Contains(out.String(), "level=DEBUG msg=said") {
		t.Errorf("log = %s, want a line of text", out.String())
	}
}

// No way of printing a configuration shows a secret.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2hunter2hunter2hunter2"
	c := Default()
	c.Redis.Password, c.Nexus.Token = secret, secret
	road, err := c.Road()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T %v"} {
		fmt.Fprintf(&out, verb+"\n", c.Redis.Password, c.Redis, *c, road)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "config", c, "road", road)
	if err := json.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteTOML(&out); err != nil {
		t.Fatal(err)
	}
	c.Redis.URL = "redis://:" + secret + "@cache:7000/1" // as a careless caller may leave it
	if err := c.WriteTOML(&out); err != nil {
		t.Fatal(err)
	}
	c.Redis.URL = "redis://:" + secret + "@cache:port"
	if err := c.WriteTOML(&out); err != nil {
		t.Fatal(err)
	}
	out.WriteString(lines(c.Validate()) + lines(c.UseURL(c.Redis.URL)))
	if strings.Contains(out.String(), "hunter2") || strings.Contains(out.String(), "68756e746572") {
		t.Errorf("a secret is printed:\n%s", out.String())
	}
	if !strings.Contains(out.String(), "# password = \"[redacted]\"") || !strings.Contains(out.String(), "# token = \"[redacted]\"") {
		t.Errorf("WriteTOML does not say that secrets are set:\n%s", out.String())
	}
	if c.Redis.Password.Reveal() != secret {
		t.Error("Reveal does not")
	}
}

func TestWriteTOMLComesBack(t *testing.T) {
	t.Parallel()
	want := Default()
	want.Redis.Addrs = []string{"a:1", "b:2"}
	want.Spore.Tags = hive.Tags{"gpu": "true", "zone": "eu"}
	want.Spore.Grace = 1500 * time.Millisecond
	want.Queue.Retention = 90 * time.Minute
	want.Queue.HighPriorityName = "a/b:c"
	var out strings.Builder
	if err := want.WriteTOML(&out); err != nil {
		t.Fatal(err)
	}
	if got, err := load(t, out.String(), nil); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("came back as %+v, %v, want %+v", got, err, want)
	}
}
