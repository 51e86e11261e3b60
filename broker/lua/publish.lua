-- publish: one exact skill becomes known to every spore.
-- ARGV: name@version, skill as JSON, digest, program
-- Returns 1 new, 0 known already with this digest, or {digest} known with another.
local known = call('HGET', P .. 'sk', ARGV[1])
if known then
  local digest = string.match(known, '^%S+')
  if digest ~= ARGV[3] then return { digest } end
end
call('SET', P .. 'w:' .. ARGV[3], ARGV[4])
call('HSET', P .. 'sk', ARGV[1], ARGV[3] .. ' ' .. ARGV[2])
if known then return 0 end
call('INCR', P .. 'skgen')
for _, spore in ipairs(call('SMEMBERS', P .. 'nodes')) do call('RPUSH', P .. 'db:' .. spore, 'S') end
return 1
