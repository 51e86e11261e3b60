package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestComplaints(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		env        map[string]string
		want       string
	}{
		{"unknown key", "[queue]\nmax_retrys = 3", nil, "hive.toml: queue.max_retrys: unknown key (did you mean queue.max_retries?)\n"},
		{"key in another section", "max_retries = 3", nil, "hive.toml: max_retries: unknown key (did you mean queue.max_retries?)\n"},
		{"unknown section, once", "[ques]\nmax_retries = 3\na = 1", nil, "hive.toml: ques: unknown key (did you mean queue?)\n"},
		{"no idea", "[something]\na = 1", nil, "hive.toml: something: unknown key\n"},
		{"case", "[Redis]\nhost = \"a\"", nil, "hive.toml: Redis: unknown key (did you mean redis?)\n"},
		{"section as a value", "redis = 3", nil, "hive.toml: redis: want a section\n"},
		{"section as a list", "[[redis]]\nhost = 3", nil, "hive.toml: redis: want a section\n"},
		{"value as a section", "[redis.host]\na = 3", nil, "hive.toml: redis.host: want text in quotes\n"},
		{"types", "enabled = 1\n[redis]\nhost = 3\nport = \"6379\"\naddrs = \"a:1\"\n[queue]\ntask_timeout = 1.5\n[spore]\ntags = [\"a\"]\n", nil,
			"hive.toml: enabled: want true or false\n" +
				"hive.toml: redis.host: want text in quotes\n" +
				"hive.toml: redis.port: want a whole number\n" +
				"hive.toml: redis.addrs: want a list such as [\"a\", \"b\"]\n" +
				"hive.toml: queue.task_timeout: want a time such as \"300s\" or 300 (seconds)\n" +
				"hive.toml: spore.tags: want tags such as \"gpu=true,zone=eu\"\n"},
		{"list of numbers", "redis.addrs = [1]", nil, "hive.toml: redis.addrs: want a list such as [\"a\", \"b\"]\n"},
		{"secret in the file", "redis.password = \"x\"\nnexus.token = \"y\"", nil,
			"hive.toml: redis.password: a secret does not belong in this file; use REDIS_PASSWORD or redis.password_file\n" +
				"hive.toml: nexus.token: a secret does not belong in this file; use NEXUS_SHARED_TOKEN or nexus.token_file\n"},
		{"secret file missing", "redis.password_file = \"/nope/x\"", nil, "hive.toml: redis.password_file: no such file or directory\n"},
		{"secret file empty", "redis.password_file = \"/dev/null\"", nil, "hive.toml: redis.password_file: the file is empty\n"},
		{"bad tags", "spore.tags = \"gpu=a b\"", nil, "hive.toml: spore.tags: tag gpu: value \"a b\": want 1 to 63 letters, digits, '.', '_' and '-'\n"},
		{"syntax", "[queue]\nmax_retries = \n", nil, "hive.toml:2: expected value but found '\\n' instead\n"},
		{"key that never ends", "\n" + strings.Repeat("a.", 2000) + "b = 1", nil, "hive.toml:2: line too long or nested too deep\n"},
		{"no number", "", map[string]string{"HIVE_MAX_RETRIES": "abc"}, "HIVE_MAX_RETRIES: \"abc\" is not a whole number\n"},
		{"no time", "", map[string]string{"HIVE_TASK_TIMEOUT": "5 minutes"}, "HIVE_TASK_TIMEOUT: \"5 minutes\" is not a time; write 300 (seconds), 300s or 5m\n"},
		{"endless time", "", map[string]string{"HIVE_TASK_TIMEOUT": "9999999999999"}, "HIVE_TASK_TIMEOUT: \"9999999999999\" is too long a time\n"},
		{"no boolean", "", map[string]string{"ENABLE_HIVE": "maybe"}, "ENABLE_HIVE: \"maybe\" is neither true nor false\n"},
		{"short token", "", map[string]string{"NEXUS_SHARED_TOKEN": "hunter2"}, "NEXUS_SHARED_TOKEN: 7 characters, at least 32 needed\n"},
		{"bounds by source", "[queue]\nmax_retries = -1\nretention = 1\n[spore]\nslots = 5000\nname = \"a b\"", map[string]string{"HIVE_TASK_TIMEOUT": "25h", "HIVE_ZOMBIE_TASK_TIMEOUT": "0"},
			"HIVE_TASK_TIMEOUT: 25h: want 1ms to 24h\n" +
				"hive.toml: queue.max_retries: -1: want 0 to 1000\n" +
				"HIVE_ZOMBIE_TASK_TIMEOUT: 0s: want 1s to 168h\n" +
				"hive.toml: queue.retention: 1s: want 1m to 8760h\n" +
				"hive.toml: spore.name: spore id \"a b\": want 1 to 24 letters, digits, '.', '_' and '-', beginning with a letter or digit\n" +
				"hive.toml: spore.slots: 5000: want 0 to 4096\n"},
		{"environment repairs the file", "queue.max_retries = \"x\"", map[string]string{"HIVE_MAX_RETRIES": "3"}, "hive.toml: queue.max_retries: want a whole number\n"},
		{"queue names", "", map[string]string{"HIVE_HIGH_PRIORITY_QUEUE": "background", "HIVE_BACKGROUND_QUEUE": "7"},
			"HIVE_HIGH_PRIORITY_QUEUE: \"background\": already means priority 2\n" +
				"HIVE_BACKGROUND_QUEUE: \"7\": already means priority 7\n"},
		{"one name twice", "", map[string]string{"HIVE_HIGH_PRIORITY_QUEUE": "q", "HIVE_BACKGROUND_QUEUE": "q"}, "HIVE_BACKGROUND_QUEUE: \"q\": the name of the other queue\n"},
		{"odd names", "nexus.name = \"a b\"", map[string]string{"HIVE_BROADCAST_CHANNEL": "a\nb"},
			"HIVE_BROADCAST_CHANNEL: \"a\\nb\": want 1 to 64 letters, digits, '_', '.', ':', '/' and '-', beginning with a letter or digit\n" +
				"hive.toml: nexus.name: \"a b\": want 1 to 64 letters, digits, '_', '.', ':', '/' and '-', beginning with a letter or digit\n"},
		{"log", "log.level = \"loud\"\nlog.format = \"xml\"", nil,
			"hive.toml: log.level: \"loud\": want debug, info, warn, error\nhive.toml: log.format: \"xml\": want text, json\n"},
		{"host with port", "", map[string]string{"REDIS_HOST": "cache:6379"}, "REDIS_HOST: \"cache:6379\": want the name or address of a host, without a port\n"},
		{"host that is a URL", "", map[string]string{"REDIS_HOST": "redis://:hunter2@cache"}, "REDIS_HOST: [redacted]: want the name or address of a host, without a port\n"},
		{"port", "", map[string]string{"REDIS_PORT": "tcp://10.0.0.1:6379"}, "REDIS_PORT: \"tcp://10.0.0.1:6379\" is not a whole number\n"},
		{"port too high", "redis.url = \"redis://h:99999\"", nil, "hive.toml: redis.url: " + errURL.Error() + "\n"},
		{"port zero", "redis.url = \"redis://h:0\"", nil, "hive.toml: redis.url: 0: want 1 to 65535\n"},
		{"database of a cluster", "redis.addrs = [\"a:1\", \"b:1\"]", map[string]string{"REDIS_DB": "3"}, "REDIS_DB: 3: a Redis Cluster (several redis.addrs) has only database 0\n"},
		{"address without port", "redis.addrs = [\"a\", \":1\", \"user:hunter2@b\"]", nil,
			"hive.toml: redis.addrs: \"a\": want HOST:PORT\nhive.toml: redis.addrs: \":1\": want HOST:PORT\nhive.toml: redis.addrs: [redacted]: want HOST:PORT\n"},
		{"two roads", "redis.url = \"redis://a\"\nredis.host = \"b\"", nil, "hive.toml: redis.url: redis.host or redis.addrs names a road too; keep one of them\n"},
		{"two roads by address", "redis.addrs = [\"a:1\"]\nredis.host = \"b\"", nil, "hive.toml: redis.addrs: redis.host names a road too; keep one of them\n"},
		{"sentinels missing", "redis.sentinel_master = \"m\"", nil, "hive.toml: redis.sentinel_master: want the sentinels in redis.addrs\n"},
		{"half a pair", "redis.cert = \"a\"", nil, "hive.toml: redis.cert: redis.cert and redis.key go together\n"},
		{"all at once", "[queue]\nmax_retrys = 3\nmax_retries = \"x\"", map[string]string{"REDIS_DB": "-1", "HIVE_MAX_RETRIES": "y"},
			"hive.toml: queue.max_retrys: unknown key (did you mean queue.max_retries?)\n" +
				"hive.toml: queue.max_retries: want a whole number\n" +
				"HIVE_MAX_RETRIES: \"y\" is not a whole number\n" +
				"REDIS_DB: -1: want 0 to 65535\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, tt.file, tt.env)
			if got := lines(err); got != tt.want {
				t.Errorf("complaints:\n%swant:\n%s", got, tt.want)
			}
		})
	}
}

func TestValidateNamesKeys(t *testing.T) {
	t.Parallel()
	c := Default()
	c.Queue.MaxRetries, c.Redis.URL = 5000, "redis://:hunter2@h:x"
	want := "redis.url: " + errURL.Error() + "\nqueue.max_retries: 5000: want 0 to 1000\n"
	if got := lines(c.Validate()); got != want {
		t.Errorf("Validate:\n%swant:\n%s", got, want)
	}
	if err := Default().Validate(); err != nil {
		t.Errorf("Validate of the default = %v", err)
	}
}

func TestFileMissing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "nope.toml")
	_, err := Load(path, env(nil))
	if want := path + ": no such file or directory\n"; lines(err) != want {
		t.Errorf("Load = %v, want %s", err, want)
	}
	big := filepath.Join(t.TempDir(), "big.toml")
	if err := os.WriteFile(big, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Load(big, env(nil))
	if want := big + ": more than 65536 bytes: too large\n"; lines(err) != want {
		t.Errorf("Load = %v, want %s", err, want)
	}
}

func TestSecretFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("hive.toml", "redis.password_file = \"pw\"\nspore.cache_dir = \"cache\"\n[nexus]\ntoken_file = \"token\"\n")
	write("pw", " hunter2 \r\n")
	write("token", strings.Repeat("t", 31)+"\n")
	path := filepath.Join(dir, "hive.toml")
	_, err := Load(path, env(nil))
	if want := path + ": nexus.token_file: 31 characters, at least 32 needed\n"; lines(err) != want {
		t.Fatalf("Load = %v, want %s", err, want)
	}
	write("token", strings.Repeat("t", 32)+"\n")
	c, err := Load(path, env(nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.Redis.Password.Reveal() != " hunter2 " || c.Nexus.Token.Reveal() != strings.Repeat("t", 32) {
		t.Errorf("password %q, token %q", c.Redis.Password.Reveal(), c.Nexus.Token.Reveal())
	}
	if want := filepath.Join(dir, "cache"); c.Spore.CacheDir != want {
		t.Errorf("cache_dir = %s, want %s: beside the file", c.Spore.CacheDir, want)
	}
	c, err = Load(path, env(map[string]string{"REDIS_PASSWORD": "other"}))
	if err != nil || c.Redis.Password.Reveal() != "other" {
		t.Errorf("password = %q, %v, want the environment's", c.Redis.Password.Reveal(), err)
	}
}

// TestFollow: a password of a file may become another one, that of another source not.
func TestFollow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	password, path := filepath.Join(dir, "pw"), filepath.Join(dir, "hive.toml")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(path, "[redis]\npassword_file = \"pw\"\nsentinel_password_file = \"pw\"\nsentinel_master = \"m\"\naddrs = [\"127.0.0.1:1\"]\n")
	write(password, "first\n")
	road := func(vars map[string]string, url string) Road {
		c, err := Load(path, env(vars))
		if err == nil && url != "" {
			err = c.UseURL(url)
		}
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.Road()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := road(nil, "")
	if r.PasswordFile != password || r.SentinelPasswordFile != password {
		t.Errorf("passwords are from %q and %q, want %q", r.PasswordFile, r.SentinelPasswordFile, password)
	}
	r2 := road(map[string]string{"REDIS_PASSWORD": "fixed", "REDIS_SENTINEL_PASSWORD": "too"}, "")
	if r2.PasswordFile != "" || r2.SentinelPasswordFile != "" {
		t.Errorf("passwords of the environment are from %q and %q", r2.PasswordFile, r2.SentinelPasswordFile)
	}
	if r := road(nil, "redis://u:fixed@h"); r.PasswordFile != "" || r.Password != "fixed" {
		t.Errorf("the password of a URL is from %q", r.PasswordFile)
	}
	if r := road(nil, "redis://h"); r.PasswordFile != password {
		t.Errorf("a URL without a password: it is from %q", r.PasswordFile)
	}

	now, fixed := Follow(r.PasswordFile, r.Password), Follow(r2.PasswordFile, r2.Password)
	says := func(want string) {
		t.Helper()
		if got := now().Reveal(); got != want {
			t.Errorf("the password is %q, want %q", got, want)
		}
	}
	says("first")
	write(password, "second\r\n")
	says("second")
	write(password, "") // somebody is about to write it
	says("second")
	if err := os.Remove(password); err != nil {
		t.Fatal(err)
	}
	says("second")
	write(password, "third")
	says("third")
	if got := fixed().Reveal(); got != "fixed" {
		t.Errorf("the fixed password is %q", got)
	}
}

// FuzzFile: any file is taken, or refused line by line.
func FuzzFile(f *testing.F) {
	sample, err := os.ReadFile(sampleFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(sample))
	f.Add("redis.url = \"rediss://u:p@h:1/2\"\nqueue = {max_retries = 3, x.y = [{a = 1}]}\n[[spore]]\n")
	f.Add("\"\" = 1979-05-27\n'a\\n'.\"b\\u001b\" = [1e3, inf, 07:32:00]\n")
	f.Fuzz(func(t *testing.T, text string) {
		l := loader{config: Default(), origin: map[string]string{}}
		l.text("hive.toml", []byte(text))
		l.takeApart("hive.toml: redis.url")
		for _, err := range l.errs {
			if s := err.Error(); !strings.HasPrefix(s, "hive.toml:") || strings.Contains(s, "\n") {
				t.Errorf("complaint %q", s)
			}
		}
		if len(l.errs) > 0 || l.config.Validate() != nil {
			return
		}
		var out strings.Builder
		if err := l.config.WriteTOML(&out); err != nil {
			t.Errorf("WriteTOML: %v", err)
		}
		again := loader{config: Default(), origin: map[string]string{}}
		again.text("hive.toml", []byte(out.String()))
		var twice strings.Builder
		if err := again.config.WriteTOML(&twice); err != nil || len(again.errs) > 0 {
			t.Errorf("read again: %v, %v", err, again.errs)
		}
		// Paths and secrets aside, what was written says the same.
		if got := twice.String(); got != withoutSecrets(out.String()) {
			t.Errorf("written:\n%s\nread and written again:\n%s", out.String(), got)
		}
	})
}

func withoutSecrets(text string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		if !strings.HasPrefix(l, "# ") {
			b.WriteString(l)
		}
	}
	return b.String()
}

// FuzzEnvironment: any variable is taken or refused under its name.
func FuzzEnvironment(f *testing.F) {
	names := []string{}
	for _, k := range Default().keys() {
		if k.env != "" {
			names = append(names, k.env)
		}
	}
	for i, value := range []string{"true", "host", "1", "300", "5m", "-1", "a\nb", strings.Repeat("x", 40), "\xff"} {
		f.Add(uint(i), value)
	}
	f.Fuzz(func(t *testing.T, i uint, value string) {
		name := names[i%uint(len(names))]
		_, err := Load("", env(map[string]string{name: value}))
		if err == nil || name == "ENABLE_HIVE" {
			return
		}
		for l := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(l, name+": ") {
				t.Errorf("%s=%q: complaint %q", name, value, l)
			}
		}
	})
}
