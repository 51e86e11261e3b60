package cli

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// untold is that of what the user may not ask Redis for.
func (p *patient) untold(what string) (finding, bool) {
	why, is := p.redis.Untold[what]
	return skip("not known: %s", why), is
}

func redisVersion(_ context.Context, p *patient) finding {
	if f, untold := p.untold("info"); untold {
		return f
	}
	return good("version %s", p.redis.Version) // an older one than 7 is not dialed
}

func redisPassword(_ context.Context, p *patient) finding {
	if p.redis.Anonymous {
		return miss("aclfile with the users of nexus config acl, or requirepass, in redis.conf", "who gives no password is let in")
	}
	return good("who gives no password is refused")
}

func redisClear(_ context.Context, p *patient) finding {
	h := p.redis
	switch f, untold := p.untold("info"); {
	case len(h.Clear) > 0:
		return miss("port 0 beside tls-port in redis.conf, or bind 127.0.0.1 if all of the hive is on this machine", "other machines reach it without TLS, at %s", some(h.Clear))
	case !h.Encrypted && !h.Local():
		return miss("tls-port in redis.conf, and redis.tls or rediss:// in hive.toml", "the way to %s is not encrypted", h.Addr)
	case untold:
		return f
	case h.Encrypted:
		return good("reached by TLS, and nowhere without it")
	}
	return good("reached from this machine only")
}

func redisCertificate(_ context.Context, p *patient) finding {
	left := p.redis.Expires.Sub(p.now)
	switch {
	case !p.redis.Encrypted && p.redis.Local():
		return skip("no TLS, and none is needed on one machine")
	case !p.redis.Encrypted:
		return skip("no TLS")
	case left < 14*day:
		return miss("give Redis a new certificate", "it ends in %s", about(left))
	}
	return good("verified, ends in %s", about(left))
}

func redisUser(_ context.Context, p *patient) finding {
	if len(p.redis.Excess) > 0 {
		return miss("give every program its own user of nexus config acl", "user %s may do what no program of the hive needs: %s", p.redis.User, some(p.redis.Excess))
	}
	return good("user %s may do nothing of what was tried and is not needed", p.redis.User)
}

func redisPersistence(_ context.Context, p *patient) finding {
	h := p.redis
	switch f, untold := p.untold("info"); {
	case untold:
		return f
	case !h.AOF:
		return miss("appendonly yes in redis.conf", "no append-only file: what came after the last snapshot, if any is made, is lost when Redis ends (that, or its start, was %s ago)", about(p.now.Sub(h.SnapshotAt)))
	case !h.AOFWell:
		return miss("look at the disk of Redis, and its log", "the last write to the append-only file failed")
	}
	return good("every write goes to the append-only file")
}

func redisFsync(_ context.Context, p *patient) finding {
	lost := map[string]string{"always": "nothing that was answered", "everysec": "about one second of work"}
	switch f, untold := p.untold("config"); {
	case !p.redis.AOF:
		return skip("there is no append-only file")
	case untold:
		return f
	case lost[p.redis.Fsync] == "":
		return miss("appendfsync everysec in redis.conf", "appendfsync is %s: if its machine ends, half a minute of work can be lost", p.redis.Fsync)
	}
	return good("appendfsync is %s: if its machine ends, %s can be lost", p.redis.Fsync, lost[p.redis.Fsync])
}

func redisEviction(_ context.Context, p *patient) finding {
	if f, untold := p.untold("info"); untold {
		return f
	}
	if p.redis.Policy != "noeviction" {
		return miss("maxmemory-policy noeviction in redis.conf", "maxmemory-policy is %s: Redis throws tasks away when its memory is full", p.redis.Policy)
	}
	return good("nothing gives way when memory is full")
}

func redisMemory(_ context.Context, p *patient) finding {
	if f, untold := p.untold("info"); untold {
		return f
	}
	if p.redis.MaxMemory == 0 {
		return miss("maxmemory in redis.conf, such as two thirds of the memory there", "no maxmemory: Redis grows until its machine ends it")
	}
	return good("at most %d MiB", p.redis.MaxMemory>>20)
}

// maxClockSkew is how far clocks may be apart before times that are signed begin to be
// doubted. Commands allow 30 seconds.
const maxClockSkew = 2 * time.Second

func clockSkew(_ context.Context, p *patient) finding {
	if f, untold := p.untold("time"); untold {
		return f
	}
	text, skew := "as Redis has it", p.redis.Skew
	if skew.Abs() >= time.Millisecond {
		text = fmt.Sprintf("%s %s that of Redis", skew.Abs().Round(time.Millisecond), map[bool]string{true: "behind", false: "ahead of"}[skew > 0])
	}
	if skew.Abs()-p.redis.Uncertainty > maxClockSkew {
		return miss("have both machines set their clocks, by NTP or chrony", "this clock is %s", text)
	}
	return good("this clock is %s", strings.TrimSpace(text))
}
