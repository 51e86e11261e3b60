package broker_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

// users is a hive with two spores; each password is its user's name and "-pw".
var users = []broker.User{
	{Name: "admin", Role: broker.RoleAdmin, Passwords: []string{"admin-pw"}, Clear: true},
	{Name: "nexus", Role: broker.RoleNexus, Passwords: []string{"nexus-pw"}},
	{Name: "client", Role: broker.RoleClient, Passwords: []string{"client-pw"}},
	{Name: "dashboard", Role: broker.RoleDashboard, Passwords: []string{"dashboard-pw"}},
	{Name: "a", Role: broker.RoleSpore, Passwords: []string{"a-pw", "a-new"}},
	{Name: "b", Role: broker.RoleSpore, Passwords: []string{"b-pw"}},
}

// startACL starts a server that speaks TLS, with the file for users.
func startACL(t *testing.T) broker.Options {
	t.Helper()
	file := filepath.Join(t.TempDir(), "users.acl")
	if err := os.WriteFile(file, []byte(broker.ACLFile(broker.Options{}, users)), 0o600); err != nil {
		t.Fatal(err)
	}
	o, _ := testkit.StartACL(t, file)
	return o
}

func as(o broker.Options, name string) broker.Options {
	o.Username, o.Password = name, name+"-pw"
	return o
}

// TestACLOverTLS: everything that happens on the road happens with the users of a
// file on a server that speaks TLS; a user has as many passwords as the file says.
func TestACLOverTLS(t *testing.T) {
	t.Parallel()
	o := startACL(t)
	o.Lease = 1
	dial := func(name string) *broker.Broker { return testkit.DialTo(t, as(o, name)) }
	c := cast{ctx: t.Context(), nexus: dial("nexus"), spore: dial("a"), client: dial("client"), dashboard: dial("dashboard")}
	if err := c.play(); err != nil {
		t.Error(err)
	}
	second := as(o, "a")
	second.Password = "a-new"
	testkit.DialTo(t, second)
	for _, o := range []broker.Options{o, {Addrs: o.Addrs, TLS: o.TLS, Username: "a", Password: "b-pw"}} {
		if _, err := broker.Dial(t.Context(), o); err == nil {
			t.Errorf("Dial as %q with %q succeeded", o.Username, o.Password)
		}
	}
}

// TestACLRefuses: what a role must not do answers NOPERM, also from inside of a
// script, and leaves no trace.
func TestACLRefuses(t *testing.T) {
	t.Parallel()
	o := startACL(t)
	for name, commands := range refused {
		rdb := redis.NewClient(&redis.Options{Addr: o.Addrs[0], TLSConfig: o.TLS, Username: name, Password: name + "-pw", DisableIdentity: true})
		t.Cleanup(func() { rdb.Close() })
		for _, text := range commands {
			words := strings.Fields(text)
			if err := rdb.Do(t.Context(), anys(words)...).Err(); !redis.HasErrorPrefix(err, "NOPERM") {
				t.Errorf("%s: %s = %v, want NOPERM", name, text, err)
			}
			script := append([]any{"EVAL", "return redis.call(unpack(ARGV))", "1", "{h}:"}, anys(words)...)
			if err := rdb.Do(t.Context(), script...).Err(); err == nil || !inScript.MatchString(err.Error()) {
				t.Errorf("%s: a script of %s = %v, want it refused", name, text, err)
			}
		}
	}
	admin := redis.NewClient(&redis.Options{Addr: o.Addrs[0], TLSConfig: o.TLS, Username: "admin", Password: "admin-pw", DisableIdentity: true})
	defer admin.Close()
	if keys, err := admin.Keys(t.Context(), "*").Result(); len(keys) > 0 || err != nil {
		t.Errorf("keys = %q, %v, want none", keys, err)
	}
}

// inScript is how the versions of Redis refuse what a script does; some commands no
// script may use.
var inScript = regexp.MustCompile(`The user executing the script can't|ACL failure in script|not allowed from script`)

func anys(words []string) (out []any) {
	for _, w := range words {
		out = append(out, w)
	}
	return out
}

// server is what only the admin may do.
var server = []string{
	"FLUSHALL", "FLUSHDB", "CONFIG GET *", "CONFIG SET save x", "KEYS *", "SCRIPT FLUSH", "SCRIPT KILL", "FUNCTION FLUSH",
	"ACL LIST", "ACL SETUSER a on", "SHUTDOWN NOSAVE", "MONITOR", "CLIENT LIST", "CLIENT KILL 1.2.3.4:5", "SAVE",
	"REPLICAOF NO ONE", "MODULE LIST", "SWAPDB 0 1", "MIGRATE h 1 {h}:t:x 0 1", "RENAME {h}:t:x t:x", "DUMP {h}:t:x", "SORT {h}:delay",
	"GET other", "SET other x", "GET {g}:t:x", "SET {g}:t:x y", "PUBLISH other x", "PSUBSCRIBE *", "SUBSCRIBE other",
}

// refused is what each user must not do.
var refused = map[string][]string{
	"nexus": append([]string{"GET {h}:kv:s.echo:k", "SET {h}:kv:s.echo:k v", "LPOP {h}:db:a", "SET {h}:st:a x", "DEL {h}:st:a"}, server...),
	"a": append([]string{
		"PUBLISH hive:broadcast x", "INCR {h}:ctlgen", "LPUSH {h}:ctl x", "LPOP {h}:ctl", "DEL {h}:ctl", "PEXPIRE {h}:ctl 1", "SCAN 0", "HGETALL {h}:lead", "HSET {h}:lead id a",
		"HGETALL {h}:hb:b", "HSET {h}:hb:b beat 1", "HDEL {h}:hb:b inc", "DEL {h}:hb:b", "PEXPIRE {h}:hb:b 1",
		"LPOP {h}:n:b", "RPUSH {h}:n:b x", "DEL {h}:n:b", "SMEMBERS {h}:own:b", "SREM {h}:own:b x", "SADD {h}:own:b x",
		"BLPOP {h}:db:b 0.01", "RPUSH {h}:db:b W", "DEL {h}:db:b", "HGETALL {h}:hb:a2", "LPOP {h}:n:a2",
		"HSET {h}:sk echo@1.0.0 x", "HGETALL {h}:sk", "SET {h}:skgen 9",
		"LPOP {h}:in:echo||:2", "LINDEX {h}:in:echo||:2 0", "SMEMBERS {h}:act", "SMEMBERS {h}:nodes", "LPOP {h}:bell",
		"RPUSH {h}:au:b x", "RPUSH {h}:au:a2 x", "LTRIM {h}:au:b 1 0", "DEL {h}:au:b", "LLEN {h}:au:b", "LPOP {h}:au:a",
		"HINCRBY {h}:ac:b first 9", "HGET {h}:ac:b first", "PEXPIRE {h}:au:b 1", "DEL {h}:ac:b",
		"BLPOP {h}:ib:client 0.01", "GET {h}:rc:x:1", "GET {h}:pg:x", "ZRANGEBYSCORE {h}:dead 0 1",
		"SET {h}:st:b x", "SET {h}:st:a2 x", "DEL {h}:st:b", "GET {h}:st:b", "GET {h}:ota", "SET {h}:ota x",
	}, server...),
	"client": append([]string{
		"PUBLISH hive:broadcast x", "SUBSCRIBE hive:broadcast", "INCRBY {h}:ctlgen 1", "RPUSH {h}:ctl x", "LRANGE {h}:ctl 0 9", "DEL {h}:ctl",
		"HSET {h}:lead id x", "HDEL {h}:lead id", "SADD {h}:nodes x",
		"HDEL {h}:hb:a inc", "DEL {h}:hb:a", "LPOP {h}:n:a", "RPUSH {h}:n:a x", "LPOP {h}:db:a", "HSET {h}:sk echo@1.0.0 x",
		"HDEL {h}:sk echo@1.0.0", "DEL {h}:sk", "SET {h}:skgen 9", "GET {h}:kv:s.echo:k", "SET {h}:kv:s.echo:k v",
		"RPUSH {h}:au:a x", "LLEN {h}:au:a", "DEL {h}:au:a", "DEL {h}:ac:a",
		"GET {h}:st:a", "SET {h}:st:a x", "SET {h}:ota x", "DEL {h}:ota",
	}, server...),
	"dashboard": append([]string{
		"SET {h}:t:x y", "DEL {h}:t:x", "SETRANGE {h}:t:x 0 y", "RPUSH {h}:in:echo||:2 x", "LPOP {h}:in:echo||:2", "SADD {h}:wait:x y", "RPUSH {h}:bell F",
		"LRANGE {h}:au:a 0 -1", "LLEN {h}:au:a", "HMGET {h}:ac:a first", "HDEL {h}:ct running", "PEXPIRE {h}:t:x 1", "SET {h}: x", "GET {h}:st:a", "SET {h}:st:a x", "SET {h}:ota x",
		"PUBLISH hive:broadcast x", "SUBSCRIBE hive:broadcast", "LPOP {h}:ib:x", "LLEN {h}:ib:x", "LRANGE {h}:ctl 0 9", "GET {h}:rc:x:1", "GET {h}:kv:s.echo:k",
	}, server...),
}

// TestACLMethods: what a role must not do on the road is an error that names its user.
func TestACLMethods(t *testing.T) {
	t.Parallel()
	o := startACL(t)
	nexus, spore := testkit.DialTo(t, as(o, "nexus")), testkit.DialTo(t, as(o, "a"))
	client, dashboard := testkit.DialTo(t, as(o, "client")), testkit.DialTo(t, as(o, "dashboard"))
	ctx, task, term := t.Context(), echo(""), broker.Term{Epoch: 1, Nexus: "x"}
	epoch, _, _, err := nexus.Campaign(ctx, term.Nexus, time.Hour)
	if term.Epoch = epoch; err != nil {
		t.Fatal(err)
	}
	other := &broker.Session{Node: "b", Incarnation: hive.NewID()}
	if err := testkit.DialTo(t, as(o, "b")).Register(ctx, other, &hive.NodeReport{ID: "b"}); err != nil {
		t.Fatal(err)
	}
	command := func(b *broker.Broker) error { return b.SendControl(ctx, []byte("x")) }
	lead := func(b *broker.Broker) error { _, _, _, err := b.Campaign(ctx, "x", time.Hour); return err }
	for what, err := range map[string]error{
		"a spore registers as another":    spore.Register(ctx, &broker.Session{Node: "b", Incarnation: "x"}, &hive.NodeReport{ID: "b"}),
		"a spore beats for another":       second(spore.Heartbeat(ctx, other, &hive.NodeReport{ID: "b"}, false)),
		"a spore unregisters another":     second(spore.Unregister(ctx, other)),
		"a spore hands back another's":    second(spore.HandBack(ctx, other)),
		"a spore reports for another":     spore.ReportSeen(ctx, other, []byte("{}")),
		"a spore says what rollouts do":   spore.SetRollouts(ctx, term, []byte("{}")),
		"a client says what rollouts do":  client.SetRollouts(ctx, term, []byte("{}")),
		"a client reads what spores saw":  second(client.SeenReports(ctx, []string{"b"})),
		"a spore leads":                   lead(spore),
		"a spore announces skills":        spore.Announce(ctx, term, nil, false),
		"a spore tells for another":       spore.Tell(ctx, "b", [][]byte{[]byte("x")}),
		"a spore reads what it told":      second(spore.Told(ctx, "a", 1)),
		"a spore takes it away":           spore.Heard(ctx, "b", broker.Entries{}),
		"a spore commands":                command(spore),
		"a client tells":                  client.Tell(ctx, "a", [][]byte{[]byte("x")}),
		"a client hears":                  second(client.Told(ctx, "a", 1)),
		"a client leads":                  lead(client),
		"a client announces skills":       client.Announce(ctx, term, nil, false),
		"a client commands":               command(client),
		"a dashboard submits":             second(dashboard.Enqueue(ctx, &task, "")),
		"a dashboard commands":            command(dashboard),
		"nexus reads a namespace of keys": second(nexus.KV().List(ctx, space, "", "", 1)),
	} {
		if err == nil || !strings.Contains(err.Error(), "redis at "+o.Addrs[0]+": user ") {
			t.Errorf("%s: %v, want it to name the user", what, err)
		}
	}
	if nodes, err := nexus.Nodes(ctx); err != nil || len(nodes) != 1 || !nodes[0].Online {
		t.Errorf("Nodes = %+v, %v: want b, as it was", nodes, err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestACLStolenSpore: what docs/security.md says that a spore can still do.
func TestACLStolenSpore(t *testing.T) {
	t.Parallel()
	o := startACL(t)
	client := testkit.DialTo(t, as(o, "client"))
	task := echo("")
	if _, err := client.Enqueue(t.Context(), &task, ""); err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: o.Addrs[0], TLSConfig: o.TLS, Username: "a", Password: "a-pw", DisableIdentity: true})
	t.Cleanup(func() { rdb.Close() })
	for _, words := range [][]any{
		{"SETRANGE", "{h}:t:" + task.ID, 1, "c"}, // completed
		{"HSET", "{h}:used", "b", 100},
		{"SREM", "{h}:nodes", "b"},
		{"SET", "{h}:kv:s.other:k", "v"},
		{"RPUSH", "{h}:in:echo||:2", "x"},
		{"RPUSH", "{h}:ib:client", "T" + task.ID},
	} {
		if err := rdb.Do(t.Context(), words...).Err(); err != nil {
			t.Errorf("%v: %v", words, err)
		}
	}
	if r, err := client.Status(t.Context(), task.ID); err != nil || r.State != hive.Completed {
		t.Errorf("Status = %+v, %v: want it forged", r, err)
	}
}
