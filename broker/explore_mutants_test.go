package broker_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hive-spore/hive/broker"
)

// mutants are defects of the scripts: the text in the first place becomes the second.
var mutants = map[string][2]string{
	"complete asks for no attempt": {
		"elseif r and r.attempt == attempt and holds(r, ARGV[i]) then\n    if byte", "elseif r and holds(r, ARGV[i]) then\n    if byte"},
	"fail asks for no attempt":          {"r.attempt ~= tonumber(ARGV[3]) or r.owner", "r.owner"},
	"fail does not know a repeat":       {"if r.state == 's' or r.state == 'f' then return r.state end\nif r.state ~= 'r' then return 'fenced' end", ""},
	"release asks for no attempt":       {"r and r.attempt == tonumber(ARGV[i + 1]) and holds", "r and holds"},
	"expire does not look at the time":  {"if t - u48(r.times, 7) < tonumber(ARGV[4]) then return 0 end", ""},
	"assign leaves the lane active":     {"if rest == 0 then call('SREM', P .. 'act', name) end", ""},
	"assign does not know a repeat":     {"tonumber(ARGV[2]) <= last then", "false then"},
	"a deposed leader leads":            {"return now[1] and now[2] and now[1] .. ' ' .. now[2] == term", "return true"},
	"an epoch is given out twice":       {"epoch == 0 and t or epoch + 1", "epoch == 0 and t or epoch"},
	"the lead is taken early":           {"(ends > t and id ~= ARGV[1])", "false"},
	"fetch does not know a repeat":      {"if seen[2] == ARGV[3] then", "if false then"},
	"fetch raises no attempt":           {"r.attempt + 1, sub(r.times", "r.attempt, sub(r.times"},
	"fetch asks for no incarnation":     {"if seen[1] ~= ARGV[2] then return { 'unregistered' } end\nlocal queue", "local queue"},
	"used stays":                        {"used = used, run = ran", "run = ran"},
	"a tombstone is not counted down":   {"left(spore, r and class(r), 1)\n  if not r then", "if not r then"},
	"a push does not make active":       {"call('SADD', P .. 'act', lane)", ""},
	"the queue of the dead is lost":     {"push(laneOf(r), { id }, true)", ""},
	"a lost attempt costs nothing":      {"if outcome then r.failures = r.failures + 1 end", ""},
	"a spore that leaves costs":         {"takeback(spore, nil,", "takeback(spore, '',"},
	"the lease is not looked at":        {"if beat and t - beat < tonumber(ARGV[3]) then return -1 end", ""},
	"a restarted spore starts from new": {"repeat until takeback(spore, ARGV[5], t, ARGV[6], 1000) == 0", ""},
	"effects are done twice":            {"verdict = 0\n  elseif r and r.attempt == attempt + 1", "verdict = 1\n  elseif r and r.attempt == attempt + 1"},
	"nothing conflicts":                 {"if e.op == 'E' and held ~= e.value or e.op == 'N' and held then return -2 end", ""},
	"a conflict does not know a repeat": {"p48(t), r.flags + CONFLICTED", "p48(t), r.flags"},
	"spawned tasks stand nowhere":       {"\nline()\nif begun", "\nif begun"},
	"cancel leaves the spore its place": {"then leave(r); kill(r)", "then kill(r)"},
	"cancel leaves the delay":           {"if r.state == 's' then call('ZREM', P .. 'delay', r.id) end", ""},
	"a retried task expires":            {"call('PERSIST', r.key)", ""},
	"enqueue forgets what is there":     {"if not call('SET', key, s, 'NX') and", "if not call('SET', key, s) and"},
	"nobody is told":                    {"do post(inbox, item) end", "do end"},
	"the budget is one larger":          {"ARGV[4] == '1' or r.failures > r.retries", "ARGV[4] == '1' or r.failures > r.retries + 1"},
	"adopt looks in no lane":            {"if call('LPOS', P .. 'in:' .. laneOf(r), r.id) then return 0 end", ""},
	"adopt looks in no queue":           {"if call('LPOS', P .. 'n:' .. spore, r.id) then return 0 end", ""},
	"recount sees nothing that runs":    {"for _, id in ipairs(call('SMEMBERS', P .. 'own:' .. spore)) do see(id, spore, 'r', 'running') end", ""},
	"mend takes what runs":              {"if not r or not holds(r, spore) then\n      call('SREM', own, id)", "if true then\n      call('SREM', own, id)"},
	"mend counts no queue":              {"local n = call('LLEN', P .. 'n:' .. spore) + call('SCARD', own)", "local n = call('SCARD', own)"},
	"adopt does not look":               {"== 1 then return 0 end\n  leave(r)", "== 2 then return 0 end\n  leave(r)"},
	"recordings do not give way":        {"while kept > tonumber(ARGV[9]) do", "while false do"},
	"waiting is not counted":            {"count(r.prio, -1)\n    count('running', 1)", "count('running', 1)"},
	"a scheduled task waits nowhere":    {"enlist('delay', u48(after, 7), id)", ""},
	"fetch looks at no deadline":        {"if pending and late(r, u48(t, 1)) then", "if false then"},
	"a retry comes after the deadline":  {" or late(r, t + ARGV[5]) then", " then"},
	"a deadline is listed for ever":     {"call('ZREM', P .. 'dl', r.id)", ""},
	"no deadline is listed":             {"if deadline then enlist('dl', deadline, id) end", ""},
	"what lapsed is no tombstone":       {"if r.state == 'p' then r.flags = r.flags + QUEUED end", ""},
	"a payload is kept for ever":        {"if data then refer(data, -1, 0) end", ""},
	"nobody refers to a payload":        {"if data then refer(data, 1, 0) end\n  local deadline", "local deadline"},
	"a retry refers to nothing":         {"if data then refer(data, 1, 0) end\n  if deadline", "if deadline"},
	"a payload may expire":              {"if n > 0 then call('PERSIST', key) end", ""},
	"nobody claims a key":               {"local first = r and claim(r)", "local first = false"},
	"a key is held for ever":            {"if key and call('GET', P .. 'u:' .. key) == r.id then", "if false then"},
	"forget takes tombstones":           {"if has(r.flags, QUEUED) then return -2 end", ""},
	"forget takes what is not over":     {"if not string.find(meant, r.state, 1, true) then return 0 end", ""},
	"forget leaves who is dead":         {"call('ZREM', P .. 'dead', r.id)\n  return 1", "return 1"},
	"forget leaves a key":               {"if (name or timed) and call('GET', key) == r.id then call('DEL', key) end", ""},
	"forget leaves what was emitted":    {"call('DEL', r.key, P .. 'em:' .. r.id, P .. 'pg:' .. r.id,", "call('DEL', r.key,"},
	"a time is looked after twice":      {"if call('HGET', P .. 'cronat', ARGV[2]) ~= ARGV[3] then return 0 end", ""},
	"nobody notes that a time was due":  {"call('HSET', P .. 'cronat', ARGV[2], ARGV[4])", ""},
	"the task of a cron waits nowhere":  {"line()\ncall('HSET', P .. 'cronat'", "call('HSET', P .. 'cronat'"},
	"a key is taken from who has it":    {"if other and not OVER[other.state] or call('PTTL', key) > 0 then return first end", ""},
}

// TestExploreMutants shows that the explorer finds what it is there for.
func TestExploreMutants(t *testing.T) {
	t.Parallel()
	texts := strings.Join(broker.Scripts(), "\n")
	for i, name := range slices.Sorted(maps.Keys(mutants)) {
		m := mutants[name]
		if i%everyMutants != 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(texts, m[0]) {
				t.Fatalf("no script has %q: change the mutant with it", m[0])
			}
			x := newExplorer(func(script string) string { return strings.ReplaceAll(script, m[0], m[1]) })
			defer x.close()
			f := x.explore(1, func() bool { return x.ops < 60_000 })
			if f == nil {
				t.Fatalf("not found in %d operations", x.ops)
			}
			if len(f.schedule) > 25 {
				t.Errorf("found, but not short: %v", f)
			}
			t.Logf("%d operations, %v", x.ops, f)
		})
	}
}
