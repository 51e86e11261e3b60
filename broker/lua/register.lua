-- register: a spore joins. What an earlier incarnation with this id still held
-- goes back to its lanes.
-- ARGV: spore, incarnation, report, lease ms, outcome fields, retention ms,
--       ttl of the heartbeat ms
-- Returns 1, or 0 if another incarnation is alive.
allowed()
local refused = entrance()
if refused then return refused end
local spore, hb, t = ARGV[1], P .. 'hb:' .. ARGV[1], now()
local old = call('HMGET', hb, 'inc', 'beat')
if old[1] ~= ARGV[2] then
  if old[1] and t - (tonumber(old[2]) or 0) < tonumber(ARGV[4]) then return 0 end
  repeat until takeback(spore, ARGV[5], t, ARGV[6], 1000) == 0
  call('DEL', hb, P .. 'db:' .. spore)
  call('HDEL', P .. 'used', spore)
end
call('SADD', P .. 'nodes', spore)
call('HSET', hb, 'inc', ARGV[2], 'beat', t, 'report', ARGV[3])
call('PEXPIRE', hb, ARGV[7])
ring('N')
return 1
