-- promote: scheduled -> pending for tasks whose time has come.
-- ARGV: term, most tasks
-- Returns {tasks promoted, ms until the next one is due (-1: none)}; {-2} deposed.
if not leads(ARGV[1]) then return { -2 } end
local t, n, delay = now(), 0, P .. 'delay'
for _, id in ipairs(call('ZRANGEBYSCORE', delay, '-inf', t, 'LIMIT', 0, ARGV[2])) do
  call('ZREM', delay, id)
  local r = head(id)
  if r and r.state == 's' then
    r.state, r.ended = 'p', NEVER
    put(r)
    count(r.prio, 1)
    push(laneOf(r), { id }, false)
    n = n + 1
  end
end
local due = call('ZRANGE', delay, 0, 0, 'WITHSCORES')[2]
return { n, due and math.max(0, tonumber(due) - t) or -1 }
