-- fail: running -> scheduled while failures are left, else -> failed.
-- ARGV: spore, id, attempt, '1' if permanent, delay ms before the next attempt,
--       outcome fields, retention ms, recording or '', bytes of all recordings
-- Returns 's' or 'f', the state now, also to a repeat; or 'fenced'.
local r, t = head(ARGV[2]), now()
if not r or r.attempt ~= tonumber(ARGV[3]) or r.owner ~= pad(ARGV[1]) then return 'fenced' end
if r.state == 's' or r.state == 'f' then return r.state end
if r.state ~= 'r' then return 'fenced' end
leave(r)
r.failures = r.failures + 1
if ARGV[4] == '1' or r.failures > r.retries then
  bury(r, ARGV[6], t, tonumber(ARGV[7]))
else
  local body = payload(r)
  r.state, r.ended, r.olen = 's', t + tonumber(ARGV[5]), #ARGV[6]
  call('SET', r.key, header(r) .. r.fields .. body .. ARGV[6])
  call('ZADD', P .. 'delay', r.ended, r.id)
  if call('ZRANK', P .. 'delay', r.id) == 0 then ring('D') end
end
if ARGV[8] ~= '' then
  -- The oldest give way. Who is in the list twice, by a retry by hand, is nobody:
  -- attempts are never numbered anew.
  local name, kept = r.id .. ':' .. r.attempt, call('INCRBY', P .. 'rcb', #ARGV[8])
  call('SET', P .. 'rc:' .. name, ARGV[8], 'PX', ARGV[7])
  call('RPUSH', P .. 'rcl', #ARGV[8] .. ' ' .. name)
  while kept > tonumber(ARGV[9]) do
    local size, oldest = string.match(call('LPOP', P .. 'rcl') or '', '^(%d+) (.+)$')
    if not size then break end
    call('DEL', P .. 'rc:' .. oldest)
    kept = call('DECRBY', P .. 'rcb', size)
  end
end
freed()
return r.state
