-- controls: the last commands that were sent, the newest first, without those that are
-- too long to be any: one at a time, as somebody may have put huge ones there.
-- ARGV: how many at most, bytes of one at most
local out = {}
for i = 0, math.min(call('LLEN', P .. 'ctl'), tonumber(ARGV[1])) - 1 do
  local envelope = call('LINDEX', P .. 'ctl', i)
  if #envelope <= tonumber(ARGV[2]) then out[#out + 1] = envelope end
end
return out
