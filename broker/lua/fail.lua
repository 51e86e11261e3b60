-- fail: running -> scheduled while failures are left and the deadline is not over by
-- then, else -> failed.
-- ARGV: spore, id, attempt, '1' if permanent, delay ms before the next attempt,
--       outcome fields, retention ms, recording or '', bytes of all recordings
-- Returns 's' or 'f', the state now, also to a repeat; or 'fenced'.
local r, t = head(ARGV[2]), now()
if not r or r.attempt ~= tonumber(ARGV[3]) or r.owner ~= pad(ARGV[1]) then return 'fenced' end
if r.state == 's' or r.state == 'f' then return r.state end
if r.state ~= 'r' then return 'fenced' end
leave(r)
r.failures = r.failures + 1
if ARGV[4] == '1' or r.failures > r.retries or late(r, t + ARGV[5]) then
  bury(r, ARGV[6], t, ARGV[7])
else
  local body = payload(r)
  if not body then
    vanish(r)
    freed()
    return 'fenced'
  end
  local due = t + ARGV[5]
  r.state, r.ended, r.olen = 's', p48(due), #ARGV[6]
  call('SET', r.key, record(r, r.fields, body, ARGV[6]))
  enlist('delay', due, r.id)
end
if ARGV[8] ~= '' then
  -- The oldest give way. A sum that the list does not bear out begins anew.
  local name, size, list, sum = r.id .. ':' .. r.attempt, #ARGV[8] + 160, P .. 'rcl', P .. 'rcb'
  local kept = call('INCRBY', sum, size)
  call('SET', P .. 'rc:' .. name, ARGV[8], 'PX', ARGV[7])
  call('RPUSH', list, size .. ' ' .. name)
  while kept > tonumber(ARGV[9]) do
    local n, oldest = string.match(call('LPOP', list) or '', '^(%d+) (.+)$')
    if not n then call('DEL', list, sum) break end
    call('DEL', P .. 'rc:' .. oldest)
    kept = call('INCRBY', sum, -n)
  end
end
freed()
return r.state == 'r' and 'fenced' or r.state
