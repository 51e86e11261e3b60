package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hive-spore/hive"
)

// minToken is how many characters NEXUS_SHARED_TOKEN has at least.
const minToken = 32

var (
	plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}$`)
	hostName  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,252})$`)
)

// Validate reports everything that is wrong with the configuration, by key, and
// hive.ErrDisabled if that is all there is to say.
func (c *Config) Validate() error {
	if !c.Enabled {
		return hive.ErrDisabled
	}
	var errs []error
	for _, p := range c.problems() {
		errs = append(errs, fmt.Errorf("%s: %w", p.key, p.err))
	}
	return errors.Join(errs...)
}

// problem is what is wrong with the value of a key.
type problem struct {
	key string
	err error
}

// problems gathers them.
type problems []problem

func (p *problems) add(key, format string, args ...any) {
	*p = append(*p, problem{key, fmt.Errorf(format, args...)})
}

func (p *problems) between(key string, n, low, high int) {
	if n < low || n > high {
		p.add(key, "%d: want %d to %d", n, low, high)
	}
}

func (p *problems) lasts(key string, d, low, high time.Duration) {
	if d < low || d > high {
		p.add(key, "%s: want %s to %s", short(d), short(low), short(high))
	}
}

func (p *problems) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		p.add(key, "%.40q: want %s", value, strings.Join(allowed, ", "))
	}
}

func (p *problems) named(key, name string) {
	if !plainName.MatchString(name) {
		p.add(key, "%.80q: want 1 to 64 letters, digits, '_', '.', ':', '/' and '-', beginning with a letter or digit", name)
	}
}

func (p *problems) check(key string, err error) {
	if err != nil {
		p.add(key, "%w", err)
	}
}

func (c *Config) problems() problems {
	var p problems
	c.Redis.check(&p)
	c.Queue.check(&p)
	c.Spore.check(&p)
	c.Nexus.check(&p)
	c.OTA.check(&p)
	p.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	p.oneOf("log.format", c.Log.Format, "text", "json")
	return p
}

func (r Redis) check(p *problems) {
	p.check("redis.url", r.absorb()) // r is a copy
	p.between("redis.port", r.Port, 1, 65535)
	p.between("redis.db", r.DB, 0, 65535)
	if r.Host != "" && net.ParseIP(r.Host) == nil && !hostName.MatchString(r.Host) {
		p.add("redis.host", "%s: want the name or address of a host, without a port", quoteAddress(r.Host))
	}
	for _, addr := range r.Addrs {
		if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || !isPort(port) {
			p.add("redis.addrs", "%s: want HOST:PORT", quoteAddress(addr))
		}
	}
	switch {
	case r.Host != "" && len(r.Addrs) > 0:
		p.add("redis.addrs", "redis.host names a road too; keep one of them")
	case r.SentinelMaster != "" && len(r.Addrs) == 0:
		p.add("redis.sentinel_master", "want the sentinels in redis.addrs")
	case r.cluster() && r.DB != 0:
		p.add("redis.db", "%d: a Redis Cluster (several redis.addrs) has only database 0", r.DB)
	}
	if (r.Cert == "") != (r.Key == "") {
		p.add("redis.cert", "redis.cert and redis.key go together")
	}
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// CheckListen reports an address that cannot be listened at.
func CheckListen(addr string) error {
	if _, port, err := net.SplitHostPort(addr); err != nil || !isPort(port) {
		return fmt.Errorf("%s: want HOST:PORT", quoteAddress(addr))
	}
	return nil
}

// quoteAddress quotes what should be an address. If it holds an '@' it may be a
// whole URL with a password in it.
func quoteAddress(s string) string {
	if strings.Contains(s, "@") {
		return redacted
	}
	return fmt.Sprintf("%.80q", s)
}

func (q *Queue) check(p *problems) {
	queue := func(key, name string, means hive.Priority) {
		p.named(key, name)
		if got, err := hive.ParsePriority(name); err == nil && got != means {
			p.add(key, "%q: already means priority %d", name, got)
		}
	}
	queue("queue.high_priority_name", q.HighPriorityName, hive.HighPriority)
	queue("queue.background_name", q.BackgroundName, hive.BackgroundPriority)
	if q.HighPriorityName == q.BackgroundName {
		p.add("queue.background_name", "%.80q: the name of the other queue", q.BackgroundName)
	}
	p.named("queue.broadcast_channel", q.BroadcastChannel)
	p.lasts("queue.task_timeout", q.TaskTimeout, time.Millisecond, hive.MaxTimeout)
	p.between("queue.max_retries", q.MaxRetries, 0, hive.MaxRetries)
	p.lasts("queue.zombie_timeout", q.ZombieTimeout, time.Second, 7*24*time.Hour)
	p.lasts("queue.retention", q.Retention, time.Minute, 365*24*time.Hour)
	p.between("queue.inline_kb", q.InlineKB, 1, hive.MaxInline>>10)
	p.between("queue.recordings_mb", q.RecordingsMB, 1, 1<<20)
}

func (s *Spore) check(p *problems) {
	if s.Name != "" {
		p.check("spore.name", hive.CheckNodeID(s.Name))
	}
	p.check("spore.tags", s.Tags.Validate())
	p.between("spore.slots", s.Slots, 0, 4096)
	p.between("spore.prefetch", s.Prefetch, -1, 4096)
	p.lasts("spore.grace", s.Grace, 0, 24*time.Hour)
	if s.Metrics != "" {
		p.check("spore.metrics", CheckListen(s.Metrics))
	}
	p.between("spore.pool_mb", s.PoolMB, 1, 1<<20)
	for _, name := range s.Grants {
		p.oneOf("spore.grants", name, allGrants()...)
	}
	for _, host := range s.HTTPHosts {
		if err := hive.CheckHostPattern(host); err != nil {
			p.add("spore.http_hosts", "%.80q: %w", host, err)
		}
	}
	for _, text := range s.HTTPPrivate {
		if prefix, err := netip.ParsePrefix(text); err != nil || prefix != prefix.Masked() {
			p.add("spore.http_private", "%.80q: want a range of addresses such as 10.1.0.0/16 or fd12::/16", text)
		}
	}
	for i, item := range s.Files {
		name, dir, _ := strings.Cut(item, "=")
		if err := hive.CheckProvided(name); err != nil || dir == "" {
			p.add("spore.files", "%.80q: want NAME=DIR, with a name of letters, digits, '_', '.' and '-'", item)
		} else if slices.ContainsFunc(s.Files[:i], func(other string) bool { return strings.HasPrefix(other, name+"=") }) {
			p.add("spore.files", "%.80q: there are two of that name", name)
		}
	}
	p.between("spore.record_kb", s.RecordKB, 0, hive.MaxRecording>>10)
	p.between("spore.max_memory_mb", s.MaxMemoryMB, 1, hive.MaxMemory>>20)
	p.lasts("spore.max_time", s.MaxTime, time.Millisecond, hive.MaxTimeout)
	p.between("spore.max_fuel", s.MaxFuel, 0, math.MaxInt)
	p.between("spore.max_output_mb", s.MaxOutputMB, 1, hive.MaxResult>>20)
}

func (n *Nexus) check(p *problems) {
	if n.Name != "" {
		p.named("nexus.name", n.Name)
	}
	if length := utf8.RuneCountInString(n.Token.Reveal()); length > 0 && length < minToken {
		p.add("nexus.token", "%d characters, at least %d needed", length, minToken)
	}
}

func (o *OTA) check(p *problems) {
	if o.Listen != "" {
		p.check("ota.listen", CheckListen(o.Listen))
	}
	if o.URL != "" {
		u, err := url.Parse(o.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			p.add("ota.url", "%s: want http(s)://HOST/PATH", quoteAddress(o.URL))
		} else if u.User != nil {
			p.add("ota.url", "a password does not belong in it")
		}
	}
	for _, host := range o.Hosts {
		if err := hive.CheckHostPattern(host); err != nil {
			p.add("ota.hosts", "%.80q: %w", host, err)
		}
	}
	p.lasts("ota.look", o.Look, 100*time.Millisecond, 24*time.Hour)
	p.lasts("ota.update_every", o.UpdateEvery, 0, 30*24*time.Hour)
}
