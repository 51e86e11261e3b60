-- publish: one exact skill becomes known to every spore.
-- ARGV: name@version, skill as JSON, digest, program
-- Returns 1 new, 0 known already just so, or {digest} known with another program
-- or manifest.
local known, skill = call('HGET', P .. 'sk', ARGV[1]), ARGV[3] .. ' ' .. ARGV[2]
if known and known ~= skill then return { string.match(known, '^%S+') } end
call('SET', P .. 'w:' .. ARGV[3], ARGV[4])
call('HSET', P .. 'sk', ARGV[1], skill)
if known then return 0 end
call('INCR', P .. 'skgen')
for _, spore in ipairs(call('SMEMBERS', P .. 'nodes')) do call('RPUSH', P .. 'db:' .. spore, 'S') end
return 1
