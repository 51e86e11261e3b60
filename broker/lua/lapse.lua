-- lapse: scheduled or pending -> failed for tasks whose deadline is over. One that waits in
-- a lane or queue stays there as a tombstone; one whose attempt began in time is looked at
-- again later, as it may come back.
-- ARGV: term, most tasks, ms after which it is looked at again, retention ms
-- Returns {tasks lapsed, ms until the next deadline (-1: none)}; {-2} deposed.
if not leads(ARGV[1]) then return { -2 } end
local t, n, dl = now(), 0, P .. 'dl'
for _, id in ipairs(call('ZRANGEBYSCORE', dl, '-inf', t, 'LIMIT', 0, ARGV[2])) do
  call('ZREM', dl, id)
  local r = head(id)
  if r and r.state == 'r' then
    call('ZADD', dl, t + ARGV[3], id)
  elseif r and not OVER[r.state] then
    if r.state == 'p' then r.flags = r.flags + QUEUED end
    lapse(r, t, ARGV[4])
    n = n + 1
  end
end
local due = call('ZRANGE', dl, 0, 0, 'WITHSCORES')[2]
return { n, due and math.max(0, tonumber(due) - t) or -1 }
