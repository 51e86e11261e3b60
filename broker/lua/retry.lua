-- retry: failed -> pending by hand, with all its failures forgiven.
-- ARGV: id, token of this call
-- Returns 1 done (a repeat, which knows its token, too), 0 not failed, -1 no such
-- task.
local r, mine = head(ARGV[1]), mark(ARGV[2])
if not r then return -1 end
if r.state ~= 'f' then return sub(outcome(r), -#mine) == mine and 1 or 0 end
call('ZREM', P .. 'dead', r.id)
call('APPEND', r.key, mine) -- a failed task has no result: here its outcome ends
r.state, r.failures, r.ended, r.olen = 'p', 0, 0, r.olen + #mine
put(r)
call('PERSIST', r.key)
count('failed', -1)
waiting(r.prio, 1)
push(lane(r), { r.id }, false)
return 1
