-- retry: failed -> pending by hand, with all their failures forgiven.
-- ARGV: token of this call, then ids
-- Returns per id: 1 done (a repeat, which knows its token, too), 0 not failed, -1 no such
-- task, -2 its deadline is over, -3 its payload is gone, or the id of the task that has its
-- unique key.
local mine, t, out = mark(ARGV[1]), now(), {}
local function retry(r)
  if not r then return -1 end
  if r.state ~= 'f' then return sub(outcome(r), -#mine) == mine and 1 or 0 end
  -- What stands in a queue lapsed there. In the millisecond of its deadline, or when the clock
  -- went back, that may not seem late, and the id would stand there twice.
  if late(r, t) or has(r.flags, QUEUED) then return -2 end
  local data = blobOf(r)
  if lost(data) then return -3 end
  local first, deadline = claim(r), ms(r, DEADLINE)
  if first then return first end
  if data then refer(data, 1, 0) end
  if deadline then enlist('dl', deadline, r.id) end
  call('ZREM', P .. 'dead', r.id)
  call('APPEND', r.key, mine) -- a failed task has no result: here its outcome ends
  r.state, r.failures, r.ended, r.olen = 'p', 0, NEVER, r.olen + #mine
  put(r)
  call('PERSIST', r.key)
  count('failed', -1)
  count(r.prio, 1)
  push(laneOf(r), { r.id }, false)
  return 1
end
for i = 2, #ARGV do out[i - 1] = retry(head(ARGV[i])) end
return out
