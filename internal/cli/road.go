package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/hostfuncs"
	"github.com/hive-spore/hive/internal/config"
	"github.com/hive-spore/hive/spore"
)

// configure reads the configuration, once.
func (a *app) configure() error {
	if a.cfg != nil {
		return nil
	}
	cfg, err := config.Load(a.flags.config, a.Getenv)
	if err != nil {
		return err
	}
	if a.flags.redis != "" {
		if err := cfg.UseURL(a.flags.redis); err != nil {
			return usageError{fmt.Errorf("--redis: %w", err)}
		}
	}
	cfg.Redis.Insecure = cfg.Redis.Insecure || a.flags.insecure
	if err := cfg.Validate(); err != nil {
		return usageError{err}
	}
	a.cfg = cfg
	return nil
}

// logger is where daemons write.
func (a *app) logger() *slog.Logger { return slog.New(a.cfg.Log.Handler(a.Err)) }

func (a *app) dial(ctx context.Context) (*broker.Broker, error) {
	o, err := a.roadOptions()
	if err != nil {
		return nil, err
	}
	return broker.Dial(ctx, o)
}

// roadOptions is the redis section as the broker takes it.
func (a *app) roadOptions() (broker.Options, error) {
	r, err := a.cfg.Road()
	if err != nil {
		return broker.Options{}, err
	}
	o := broker.Options{
		Addrs: r.Addrs, Master: r.Master, DB: r.DB, Username: r.Username, Password: r.Password.Reveal(), TLS: r.TLS,
		SentinelUsername: r.SentinelUsername, SentinelPassword: r.SentinelPassword.Reveal(),
		Retention: a.cfg.Queue.Retention, Inline: a.cfg.Queue.InlineKB << 10, Recordings: int64(a.cfg.Queue.RecordingsMB) << 20, Channel: a.cfg.Queue.BroadcastChannel,
	}
	if r.PasswordFile != "" {
		now := config.Follow(r.PasswordFile, r.Password)
		o.PasswordNow = func() string { return now().Reveal() }
	}
	if r.SentinelPasswordFile != "" {
		now := config.Follow(r.SentinelPasswordFile, r.SentinelPassword)
		o.SentinelPasswordNow = func() string { return now().Reveal() }
	}
	return o, nil
}

// where names the road for people.
func (a *app) where() string {
	r, err := a.cfg.Road()
	if err != nil {
		return err.Error()
	}
	return r.String()
}

// cacheDir is where built and compiled skills are kept; "" if there is no such
// place, then nothing is.
func (a *app) cacheDir() string {
	if dir := a.cfg.Spore.CacheDir; dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "hive")
}

// codeCache is where compiled skills are kept.
func (a *app) codeCache() string {
	if dir := a.cacheDir(); dir != "" {
		return filepath.Join(dir, "code")
	}
	return ""
}

// sporeOptions is the spore section as the daemon takes it. There 0 is the default;
// who configures 0 means it.
func (a *app) sporeOptions() (spore.Options, error) {
	s := &a.cfg.Spore
	secrets, err := hostfuncs.SecretsFrom(s.SecretsDir)
	if err != nil {
		return spore.Options{}, err
	}
	o := spore.Options{Name: s.Name, Tags: s.Tags, Slots: s.Slots, Prefetch: s.Prefetch, Grace: s.Grace, CacheDir: a.codeCache(), Admit: admitBy(),
		Pool: int64(s.PoolMB) << 20,
		Most: hive.SkillLimits{Memory: int64(s.MaxMemoryMB) << 20, Time: s.MaxTime, Fuel: int64(s.MaxFuel), Output: int64(s.MaxOutputMB) << 20},

		Grants:  []hive.Grant{},
		HTTP:    hostfuncs.HTTPOptions{Hosts: s.HTTPHosts, Private: s.Private()},
		Secrets: secrets, Files: s.Folders(), Record: s.RecordKB << 10,
	}
	for _, name := range s.Grants {
		o.Grants = append(o.Grants, hive.Grant(name))
	}
	switch s.Prefetch {
	case -1:
		o.Prefetch = 0
	case 0:
		o.Prefetch = spore.NoPrefetch
	}
	if o.Grace == 0 {
		o.Grace = spore.NoGrace
	}
	if o.Record == 0 {
		o.Record = spore.NoRecord
	}
	return o, nil
}
