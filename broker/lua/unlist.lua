-- unlist: takes keys out of their space's index, if they still hold no value.
-- ARGV: space, then keys
-- Returns how many were taken out.
local n = 0
for i = 2, #ARGV do
  if call('EXISTS', P .. 'kv:' .. ARGV[1] .. ':' .. ARGV[i]) == 0 then
    n = n + call('ZREM', P .. 'ki:' .. ARGV[1], ARGV[i])
  end
end
return n
