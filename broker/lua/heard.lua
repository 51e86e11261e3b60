-- heard: takes away what told returned, as far as it is still there.
-- ARGV: spore, number of the first entry, how many, entries that gave way, ttl ms
-- Returns how many were taken away.
local key, meta = P .. 'au:' .. ARGV[1], P .. 'ac:' .. ARGV[1]
local at = tonumber(call('HGET', meta, 'first') or '0') or 0
local n = ARGV[2] + ARGV[3] - at
if n < 1 or n > tonumber(ARGV[3]) then n = 0 end
if n > 0 then
  call('LTRIM', key, n, -1)
  call('HINCRBY', meta, 'first', n)
end
if ARGV[4] ~= '0' then call('HSET', meta, 'said', ARGV[4]) end
call('PEXPIRE', meta, ARGV[5])
return n
