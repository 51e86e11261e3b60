-- nodes: what registered spores reported. A spore may put anything into its heartbeat.
-- ARGV: bytes of a report at most, ids
-- Returns {Unix ms, then per id: Unix ms of the last beat, report, '1' if it is
-- registered}; '' in place of what is too long or not there.
local most, out = tonumber(ARGV[1]), { now() }
for i = 2, #ARGV do
  local beat = call('HMGET', P .. 'hb:' .. ARGV[i], 'beat', 'report', 'inc')
  local at, report = beat[1] or '', beat[2] or ''
  out[#out + 1] = #at <= 16 and at or ''
  out[#out + 1] = #report <= most and report or ''
  out[#out + 1] = beat[3] and '1' or ''
end
return out
