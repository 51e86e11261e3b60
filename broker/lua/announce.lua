-- announce: the list of skills is another one, and spores have something to fetch.
-- ARGV: term, then per skill: name@version, skill as JSON
-- Returns 1, or -2 deposed.
if not leads(ARGV[1]) then return -2 end
room()
call('DEL', P .. 'sk')
for i = 2, #ARGV, CHUNK do
  call('HSET', P .. 'sk', unpack(ARGV, i, math.min(i + CHUNK - 1, #ARGV)))
end
if type(raw('INCR', P .. 'skgen')) == 'table' then -- it is no number
  call('SET', P .. 'skgen', floor(now() / 1000))
end
for _, spore in ipairs(call('SMEMBERS', P .. 'nodes')) do call('RPUSH', P .. 'db:' .. spore, 'S') end
return 1
