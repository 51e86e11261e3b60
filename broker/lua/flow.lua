-- flow: pauses or resumes tasks, or weighs a tenant, and tells the foreman.
-- ARGV: field of the hash flow, '' or what it is to say, most fields. A pause says until when
-- it is ('0': until it is resumed), in Unix ms, behind which stands since when.
-- Returns what the field said before, '' if it said nothing, or -1 if there are too many.
local refused = entrance()
if refused then return refused end
allowed()
local key, field, t = P .. 'flow', ARGV[1], now()
local fields = call('HGETALL', key)
for i = 1, #fields, 2 do
  local till = sub(fields[i], 1, 1) == 'p' and natural(string.match(fields[i + 1], '^%d+')) or 0
  if till > 0 and till <= t then call('HDEL', key, fields[i]) end
end
local before = call('HGET', key, field) or ''
if ARGV[2] == '' then
  call('HDEL', key, field)
else
  if before == '' and call('HLEN', key) >= tonumber(ARGV[3]) then return -1 end
  call('HSET', key, field, ARGV[2] .. (sub(field, 1, 1) == 'p' and ' ' .. string.format('%.0f', t) or ''))
end
ring('P')
return before
