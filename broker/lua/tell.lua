-- tell: a spore adds entries to what the audit log is to hear of it. Of too many the
-- oldest give way, and are counted.
-- ARGV: spore, how many wait at most, ttl ms, entries...
-- Returns how many gave way.
local key, meta = P .. 'au:' .. ARGV[1], P .. 'ac:' .. ARGV[1]
local over = -tonumber(ARGV[2])
for i = 4, #ARGV do
  over = call('RPUSH', key, ARGV[i]) - tonumber(ARGV[2])
end
if over > 0 then
  call('LTRIM', key, over, -1)
  call('HINCRBY', meta, 'first', over)
  call('HINCRBY', meta, 'dropped', over)
end
call('PEXPIRE', key, ARGV[3])
call('PEXPIRE', meta, ARGV[3])
return math.max(0, over)
