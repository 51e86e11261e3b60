package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hive-spore/hive"
)

const (
	maxFile   = 64 << 10 // bytes of hive.toml
	maxSecret = 4 << 10  // bytes of a password_file or token_file
)

// Load returns the configuration that the defaults, the file at path and the
// environment make together; path "" means HIVE_CONFIG, and if that is empty
// too, no file. The error joins all complaints. If ENABLE_HIVE is false it is
// hive.ErrDisabled whatever else is wrong, and there is a configuration too.
//
// Flags come after: set them in the result (the road by UseURL), then Validate.
func Load(path string, getenv func(string) string) (*Config, error) {
	if path == "" {
		path = getenv("HIVE_CONFIG")
	}
	l := loader{config: Default(), origin: map[string]string{}}
	if path != "" {
		l.file(path)
	}
	l.environment(getenv)
	if !l.config.Enabled {
		return l.config, hive.ErrDisabled
	}
	l.config.Redis.passwordFrom = l.followed("redis.password", l.config.Redis.PasswordFile)
	l.config.Redis.sentinelFrom = l.followed("redis.sentinel_password", l.config.Redis.SentinelPasswordFile)
	for _, p := range l.config.problems() {
		if !l.about[p.key] {
			l.complain(l.name(p.key), p.err)
		}
	}
	if err := errors.Join(l.errs...); err != nil {
		return nil, err
	}
	return l.config, nil
}

// loader puts the sources into one Config and remembers where values came from.
type loader struct {
	config *Config
	origin map[string]string // key → what complaints about it begin with
	about  map[string]bool   // keys whose value was refused: no second complaint
	errs   []error
}

func (l *loader) complain(where string, err error) {
	l.errs = append(l.errs, fmt.Errorf("%s: %w", where, err))
}

// refuse complains about a key's value as it was written at where.
func (l *loader) refuse(key, where string, err error) {
	if l.about == nil {
		l.about = map[string]bool{}
	}
	l.about[key] = true
	l.complain(where, err)
}

func (l *loader) name(key string) string {
	if origin := l.origin[key]; origin != "" {
		return origin
	}
	return key
}

// file takes hive.toml.
func (l *loader) file(path string) {
	text, err := readFile(path, maxFile)
	if err != nil {
		l.complain(path, err)
		return
	}
	l.text(path, text)
	l.takeApart(path + ": redis.url")
	l.secretFile(&l.config.Redis.Password, "redis.password_file", l.config.Redis.PasswordFile)
	l.secretFile(&l.config.Redis.SentinelPassword, "redis.sentinel_password_file", l.config.Redis.SentinelPasswordFile)
	l.secretFile(&l.config.Nexus.Token, "nexus.token_file", l.config.Nexus.TokenFile)
}

// takeApart spells redis.url out, so that the environment can override each
// part of it.
func (l *loader) takeApart(where string) {
	if l.config.Redis.URL == "" {
		return
	}
	if err := l.config.Redis.absorb(); err != nil {
		l.refuse("redis.url", where, err)
		return
	}
	for _, part := range []string{"host", "port", "db", "username"} {
		if l.origin["redis."+part] == "" {
			l.origin["redis."+part] = where
		}
	}
}

// environment takes the variables, of which an empty one is as good as none.
func (l *loader) environment(getenv func(string) string) {
	for _, k := range l.config.keys() {
		if k.env == "" || getenv(k.env) == "" {
			continue
		}
		text := getenv(k.env)
		if !k.secret() {
			text = strings.TrimSpace(text)
		}
		l.origin[k.name] = k.env
		delete(l.about, k.name)
		if err := k.setText(text); err != nil {
			l.refuse(k.name, k.env, err)
		}
		if k.env == "REDIS_HOST" {
			l.config.Redis.forget()
			l.config.Redis.Host = text
		}
	}
}

// secretFile takes the secret that the file at path holds, to which the key
// name led.
func (l *loader) secretFile(secret *Secret, name, path string) {
	if path == "" {
		return
	}
	content, err := readSecret(path)
	if err != nil {
		l.refuse(name, l.name(name), err)
		return
	}
	*secret = content
	l.origin[strings.TrimSuffix(name, "_file")] = l.name(name)
}

// followed is the path of a secret's file if that is where the secret is from.
func (l *loader) followed(name, path string) string {
	if path == "" || l.origin[name] != l.name(name+"_file") {
		return ""
	}
	return path
}
