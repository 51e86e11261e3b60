package broker

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Role is what an actor may do on the road, as a user of Redis. A script may touch
// only what its caller may, so the rights below are those of the scripts it calls.
type Role string

// The roles.
const (
	RoleNexus     Role = "nexus"     // leads, registers skills, broadcasts; and all a client does
	RoleSpore     Role = "spore"     // one spore, with the keys of its own only
	RoleClient    Role = "client"    // submits, waits, cancels, retries, and looks on
	RoleDashboard Role = "dashboard" // looks on
	RoleAdmin     Role = "admin"     // all of Redis: no program of the hive needs it
)

// rights are names of keys behind the shard's prefix, and commands. OWN stands for
// the spore's name.
type rights struct {
	both, write, read string // keys
	commands          string
	channel           bool // that of control commands
}

// every names what nobody can be without: Dial asks for the version by info, and
// chooses a database by select; a server that lost its scripts is told them anew by
// eval; a script's clock is time; a Cluster's client asks for the last two.
const every = "ping info select evalsha eval time command cluster|slots "

var roles = map[Role]rights{
	RoleNexus: {
		both: "t:* in:* act bell lead nodes hb:* n:* own:* used run ct fmt delay wait:* ib:* sk skgen ctl ctlgen " +
			"dead kx rcl rcb au:* ac:* ota dl u:* b:* bu:* bl rl:* flow cron cronat em:* pg:* rc:*",
		write: "db:* odd:*", read: "st:*",
		commands: "get mget set getrange setrange append incr del exists persist pexpire pttl rename strlen hget hset hdel hexists hmget hgetall hkeys hlen hincrby " +
			"lpush rpush lpop rpop blpop llen lindex lrange lpos lrem ltrim sadd srem smembers sismember scard srandmember " +
			"zadd zrem zrank zrange zcard zscan zrangebyscore zremrangebyscore scan publish",
		channel: true,
	},
	RoleSpore: {
		both:  "t:* hb:OWN n:OWN own:OWN db:OWN used run ct delay wait:* em:* rcl rcb kv:* ki:* kx ac:OWN dl u:* b:* bu:* bl",
		write: "in:* act bell nodes dead ib:* pg:* rc:* au:OWN st:OWN odd:*", read: "fmt skgen ctl",
		commands: "get set getrange setrange incrby del exists persist pexpire pttl rename strlen hget hset hdel hmget hincrby " +
			"lpush rpush lpop rpop blpop llen lindex lrange ltrim sadd srem smembers scard srandmember " +
			"zadd zrem zrank zrangebyscore zrangebylex zremrangebyscore subscribe",
		channel: true,
	},
	RoleClient: {
		both: "t:* in:* act own:* used run ct wait:* ib:* delay dl dead u:* b:* bu:* bl flow cron cronat em:* pg:* rc:*", write: "bell db:* odd:*",
		read: "fmt lead nodes hb:* n:* rl:* sk ota",
		commands: "get mget set getrange setrange append del exists persist pexpire pttl rename strlen hget hset hdel hlen hexists hmget hgetall hincrby " +
			"rpush lpop blpop llen lindex lrange lpos sadd srem smembers sismember scard zadd zrem zrank zcard zscan scan",
	},
	RoleDashboard: {
		read:     "t:* in:* act lead nodes hb:* n:* own:* used run ct delay sk em:* pg:* b:* rl:* ota flow cron cronat",
		commands: "get mget getrange hmget hgetall llen lindex lrange lpos smembers zcard scan",
	},
}

// Rules returns what a user in a role may do on the road of o, as the rules of Redis
// 7's ACL; own is the name of a spore.
func (r Role) Rules(o Options, own string) []string {
	if r == RoleAdmin {
		return []string{"~*", "&*", "+@all"}
	}
	o, is := o.withDefaults(), roles[r]
	prefix := escapeGlob(newKeys(o.Shard).prefix)
	rules := []string{"resetchannels", "~" + prefix} // the key that every script is called with
	if o.cluster() {
		rules = append(rules, "~"+escapeGlob(newKeys(o.Shard).never()))
	}
	for _, keys := range []struct{ sign, names string }{{"~", is.both}, {"%W~", is.write}, {"%R~", is.read}} {
		for name := range strings.FieldsSeq(strings.ReplaceAll(keys.names, "OWN", own)) {
			rules = append(rules, keys.sign+prefix+name)
		}
	}
	if is.channel {
		rules = append(rules, "&"+escapeGlob(o.Channel))
	}
	rules = append(rules, "-@all")
	for command := range strings.FieldsSeq(every + is.commands) {
		rules = append(rules, "+"+command)
	}
	return rules
}

// User is one user of Redis; a spore's has the spore's name.
type User struct {
	Name      string
	Role      Role
	Passwords []string // any of them is good
	Clear     bool     // the file is to have the passwords themselves, not hashes of them
}

// ACLFile returns the file of ACL rules that lets these users, and nobody else, onto
// the road of o. Redis hashes without salt: passwords must be too long to guess.
func ACLFile(o Options, users []User) string {
	var file strings.Builder
	file.WriteString("user default off\n")
	for _, u := range users {
		words := []string{"user", u.Name, "on"}
		for _, password := range u.Passwords {
			words = append(words, passwordRule(password, u.Clear))
		}
		words = append(words, u.Role.Rules(o, u.Name)...)
		file.WriteString(strings.Join(words, " ") + "\n")
	}
	return file.String()
}

func passwordRule(password string, clear bool) string {
	if clear {
		return ">" + password
	}
	sum := sha256.Sum256([]byte(password))
	return "#" + hex.EncodeToString(sum[:])
}
