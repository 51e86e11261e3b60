-- emit: adds a part of the result of a running attempt, or says how far it is, and
-- wakes who waits for the task. Only the newest attempt's parts are kept.
-- ARGV: spore, id, attempt, number of the part, 'e' a part or 'p' progress, data,
--       ttl ms
-- Returns 1 added, 0 it was there already, -1 fenced.
local r, attempt, n = head(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not r or r.attempt ~= attempt or not holds(r, ARGV[1]) then return -1 end
local item = p32(attempt) .. p32(n) .. ARGV[6]
if ARGV[5] == 'p' then
  call('SET', P .. 'pg:' .. r.id, item, 'PX', ARGV[7])
else
  local key = P .. 'em:' .. r.id
  local last = call('LINDEX', key, -1)
  if last and (#last < 8 or u32(last, 1) ~= attempt) then
    call('DEL', key)
  elseif last and u32(last, 5) >= n then
    return 0
  end
  call('RPUSH', key, item)
  call('PEXPIRE', key, ARGV[7])
end
for _, inbox in ipairs(call('SMEMBERS', P .. 'wait:' .. r.id)) do post(inbox, 'E' .. r.id) end
return 1
