-- unregister: a spore leaves. What it still holds goes back at no cost.
-- ARGV: spore, incarnation, retention ms
-- Returns how many ids went back, or -1 if it was not registered.
local refused = entrance()
if refused then return refused end
local spore, hb = ARGV[1], P .. 'hb:' .. ARGV[1]
if call('HGET', hb, 'inc') ~= ARGV[2] then return -1 end
local n, moved = 0, 0
repeat
  moved = takeback(spore, nil, now(), ARGV[3], 1000)
  n = n + moved
until moved == 0
call('SREM', P .. 'nodes', spore)
call('HDEL', P .. 'used', spore)
call('DEL', hb, P .. 'db:' .. spore)
ring('N')
return n
