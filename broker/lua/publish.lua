-- publish: one exact skill becomes known to every spore.
-- ARGV: name@version, skill as JSON, digest, program, ms for which the program of a
-- skill that this one takes the place of stays (0: it takes no place)
-- Returns 1 new, 0 known already just so, or {digest} known with another program
-- or manifest.
local known, skill, stays = call('HGET', P .. 'sk', ARGV[1]), ARGV[3] .. ' ' .. ARGV[2], tonumber(ARGV[5])
local digest = known and string.match(known, '^%S+')
if known and known ~= skill and stays == 0 then return { digest } end
call('SET', P .. 'w:' .. ARGV[3], ARGV[4])
call('HSET', P .. 'sk', ARGV[1], skill)
if known == skill then return 0 end
call('INCR', P .. 'skgen')
for _, spore in ipairs(call('SMEMBERS', P .. 'nodes')) do call('RPUSH', P .. 'db:' .. spore, 'S') end
if not known then return 1 end
for _, other in ipairs(call('HVALS', P .. 'sk')) do
  if string.match(other, '^%S+') == digest then return 1 end
end
call('PEXPIRE', P .. 'w:' .. digest, stays) -- not at once: a spore may be about to read it
return 1
