-- told: what a spore told and nobody heard yet, the oldest first.
-- ARGV: spore, how many entries at most, bytes of an entry at most
-- Returns {number of the first entry, entries that gave way, those of them that were
-- heard of, entries...}; '' in place of one that is too long.
local meta = P .. 'ac:' .. ARGV[1]
local out = {}
for i, field in ipairs({ 'first', 'dropped', 'said' }) do
  out[i] = call('HGET', meta, field) or '0'
end
for _, entry in ipairs(call('LRANGE', P .. 'au:' .. ARGV[1], 0, ARGV[2] - 1)) do
  out[#out + 1] = #entry <= tonumber(ARGV[3]) and entry or ''
end
return out
