-- announce: the list of skills is another one, and spores have something to fetch.
-- ARGV: term, '1' if it was announced before and only must still be there, then per
--       skill: name@version, skill as JSON
-- Returns 1, 0 if it is still there, or -2 deposed.
if not leads(ARGV[1]) then return -2 end
local there = ARGV[2] == '1' and call('EXISTS', P .. 'skgen') == 1 and call('HLEN', P .. 'sk') == (#ARGV - 2) / 2
for i = 3, #ARGV, 2 do there = there and call('HGET', P .. 'sk', ARGV[i]) == ARGV[i + 1] end
if there then return 0 end
room()
call('DEL', P .. 'sk')
for i = 3, #ARGV, CHUNK do
  call('HSET', P .. 'sk', unpack(ARGV, i, math.min(i + CHUNK - 1, #ARGV)))
end
-- One that is lost begins at the clock: no generation is given out twice.
call('SET', P .. 'skgen', (tonumber(call('GET', P .. 'skgen')) or now()) + 1)
for _, spore in ipairs(call('SMEMBERS', P .. 'nodes')) do hint(P .. 'db:' .. spore, 'S') end
return 1
