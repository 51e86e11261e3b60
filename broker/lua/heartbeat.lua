-- heartbeat: a spore reports and extends the lease of all it holds.
-- ARGV: spore, incarnation, report, ttl of the heartbeat ms, '1' if the foreman
--       must know the report at once
-- Returns {'unregistered'} or {'ok', generation of the skills, ids it holds...}.
local refused = entrance()
if refused then return refused end
local hb = P .. 'hb:' .. ARGV[1]
if call('HGET', hb, 'inc') ~= ARGV[2] then return { 'unregistered' } end
allowed()
call('HSET', hb, 'beat', now(), 'report', ARGV[3])
call('PEXPIRE', hb, ARGV[4])
local back = call('SADD', P .. 'nodes', ARGV[1]) == 1 -- somebody took it off the list
if back or ARGV[5] == '1' then ring('N') end
local out = call('SMEMBERS', P .. 'own:' .. ARGV[1])
local generation = call('GET', P .. 'skgen')
table.insert(out, 1, generation and #generation <= 20 and generation or '0')
table.insert(out, 1, 'ok')
return out
