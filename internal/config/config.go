// Package config is the one place that knows hive.toml, the environment and
// what flags may change.
//
// Later sources win: defaults, hive.toml, environment, flags. The file is the
// one of --config or HIVE_CONFIG; none is searched for, so that a folder one
// happens to stand in changes nothing. Every complaint names its key and where
// it came from, and all come at once.
package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// Config is everything a program of the hive can be told. Fields of type Secret
// come from the environment or a file of their own, never from hive.toml.
type Config struct {
	Enabled bool `toml:"enabled" env:"ENABLE_HIVE"`

	Redis Redis `toml:"redis"`
	Queue Queue `toml:"queue"`
	Spore Spore `toml:"spore"`
	Nexus Nexus `toml:"nexus"`
	OTA   OTA   `toml:"ota"`
	Audit Audit `toml:"audit"`
	Log   Log   `toml:"log"`
}

// Redis says where the road is and how to get in. One of URL, Host and Addrs
// names it; none: see HasRoad.
type Redis struct {
	URL            string   `toml:"url"` // unix:// after Load: others are taken apart
	Host           string   `toml:"host" env:"REDIS_HOST"`
	Port           int      `toml:"port" env:"REDIS_PORT"`
	Addrs          []string `toml:"addrs"` // host:port of cluster nodes or sentinels
	SentinelMaster string   `toml:"sentinel_master"`

	SentinelUsername     string `toml:"sentinel_username"`
	SentinelPassword     Secret `toml:"sentinel_password" env:"REDIS_SENTINEL_PASSWORD"`
	SentinelPasswordFile string `toml:"sentinel_password_file" is:"path"`

	DB           int    `toml:"db" env:"REDIS_DB"`
	Username     string `toml:"username"`
	Password     Secret `toml:"password" env:"REDIS_PASSWORD"`
	PasswordFile string `toml:"password_file" is:"path"`
	TLS          bool   `toml:"tls"`
	CA           string `toml:"ca" is:"path"`
	Cert         string `toml:"cert" is:"path"`
	Key          string `toml:"key" is:"path"`
	Insecure     bool   `toml:"insecure"`

	// The files that Password and SentinelPassword are from, and no later source.
	passwordFrom, sentinelFrom string
}

// Queue says what tasks are given when they say nothing themselves. The names
// are what users see and pass, never Redis keys.
type Queue struct {
	HighPriorityName string        `toml:"high_priority_name" env:"HIVE_HIGH_PRIORITY_QUEUE"`
	BackgroundName   string        `toml:"background_name" env:"HIVE_BACKGROUND_QUEUE"`
	BroadcastChannel string        `toml:"broadcast_channel" env:"HIVE_BROADCAST_CHANNEL"`
	TaskTimeout      time.Duration `toml:"task_timeout" env:"HIVE_TASK_TIMEOUT"`
	MaxRetries       int           `toml:"max_retries" env:"HIVE_MAX_RETRIES"`
	ZombieTimeout    time.Duration `toml:"zombie_timeout" env:"HIVE_ZOMBIE_TASK_TIMEOUT"`
	Retention        time.Duration `toml:"retention"`
	InlineKB         int           `toml:"inline_kb"`
	RecordingsMB     int           `toml:"recordings_mb"`
}

// Spore is about the worker daemon.
type Spore struct {
	Name     string        `toml:"name"`
	Tags     hive.Tags     `toml:"tags"`
	Slots    int           `toml:"slots"`
	Prefetch int           `toml:"prefetch"`
	CacheDir string        `toml:"cache_dir" is:"path"`
	Grace    time.Duration `toml:"grace"`
	PoolMB   int           `toml:"pool_mb"`
	Metrics  string        `toml:"metrics"`

	Grants      []string `toml:"grants"`
	HTTPHosts   []string `toml:"http_hosts"`
	HTTPPrivate []string `toml:"http_private"`
	SecretsDir  string   `toml:"secrets_dir" is:"path"`
	Files       []string `toml:"files" is:"path"` // NAME=DIR
	RecordKB    int      `toml:"record_kb"`

	MaxMemoryMB int           `toml:"max_memory_mb"`
	MaxTime     time.Duration `toml:"max_time"`
	MaxFuel     int           `toml:"max_fuel"`
	MaxOutputMB int           `toml:"max_output_mb"`
}

// Nexus is about the master.
type Nexus struct {
	Name      string `toml:"name"`
	Token     Secret `toml:"token" env:"NEXUS_SHARED_TOKEN"` // for the API that comes later
	TokenFile string `toml:"token_file" is:"path"`
}

// OTA is about bundles: how nexus and publishers keep their repository, and where
// spores find it.
type OTA struct {
	Repo        string        `toml:"repo" is:"path"`
	Keys        string        `toml:"keys" is:"path"`
	Listen      string        `toml:"listen"`
	URL         string        `toml:"url"`
	Root        string        `toml:"root" is:"path"`
	Hosts       []string      `toml:"hosts"`
	StateDir    string        `toml:"state_dir" is:"path"`
	Look        time.Duration `toml:"look"`
	UpdateEvery time.Duration `toml:"update_every"`
}

// Audit is about the record of what was published, rolled out, refused and denied.
type Audit struct {
	Dir string `toml:"dir" is:"path"`
}

// Log is about what daemons say of themselves.
type Log struct {
	Level  string `toml:"level"`
	Format string `toml:"format"`
}

// DefaultRoad is where programs that need a road look when none is named.
const DefaultRoad = "127.0.0.1"

// Default returns the configuration of a program that is told nothing.
func Default() *Config {
	return &Config{
		Enabled: true,
		Redis:   Redis{Port: defaultPort},
		Queue: Queue{
			HighPriorityName: "high_priority",
			BackgroundName:   "background",
			BroadcastChannel: "hive:broadcast",
			TaskTimeout:      hive.DefaultTimeout,
			MaxRetries:       hive.DefaultRetries,
			ZombieTimeout:    600 * time.Second,
			Retention:        hive.DefaultRetention,
			InlineKB:         hive.DefaultInline >> 10,
			RecordingsMB:     64,
		},
		Spore: Spore{
			Tags: hive.Tags{}, Prefetch: -1, Grace: 30 * time.Second, PoolMB: 512,
			Grants: allGrants(), RecordKB: hive.MaxRecording >> 10,
			MaxMemoryMB: hive.MaxMemory >> 20, MaxTime: hive.MaxTimeout, MaxOutputMB: hive.MaxResult >> 20,
		},
		OTA: OTA{Look: time.Minute, UpdateEvery: time.Hour},
		Log: Log{Level: "info", Format: "text"},
	}
}

func allGrants() []string {
	names := make([]string, len(hive.Grants))
	for i, g := range hive.Grants {
		names[i] = string(g)
	}
	return names
}

// Folders returns spore.files as paths by name.
func (s *Spore) Folders() map[string]string {
	folders := map[string]string{}
	for _, item := range s.Files {
		name, dir, _ := strings.Cut(item, "=")
		folders[name] = dir
	}
	return folders
}

// Private returns spore.http_private as prefixes; check has seen them.
func (s *Spore) Private() []netip.Prefix {
	prefixes := make([]netip.Prefix, len(s.HTTPPrivate))
	for i, text := range s.HTTPPrivate {
		prefixes[i], _ = netip.ParsePrefix(text)
	}
	return prefixes
}

// ParsePriority reads what users pass as a priority: the configured names of
// the two queues, and whatever hive.ParsePriority reads.
func (c *Config) ParsePriority(s string) (hive.Priority, error) {
	switch s {
	case c.Queue.HighPriorityName:
		return hive.HighPriority, nil
	case c.Queue.BackgroundName:
		return hive.BackgroundPriority, nil
	}
	p, err := hive.ParsePriority(s)
	if err != nil {
		return 0, fmt.Errorf("priority %.80q: want 0 to 10, %s or %s", s, c.Queue.HighPriorityName, c.Queue.BackgroundName)
	}
	return p, nil
}

// Retries is MaxRetries as a hive.Task takes it, where 0 means the default.
func (q *Queue) Retries() int {
	if q.MaxRetries == 0 {
		return hive.NoRetries
	}
	return q.MaxRetries
}

// Handler returns the log handler that the section asks for.
func (l *Log) Handler(w io.Writer) slog.Handler {
	var level slog.Level // info, unless the text says otherwise; check has seen it
	_ = level.UnmarshalText([]byte(l.Level))
	opts := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.NewJSONHandler(w, opts)
	}
	return slog.NewTextHandler(w, opts)
}
