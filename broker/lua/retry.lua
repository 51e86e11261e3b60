-- retry: failed -> pending by hand, with all its failures forgiven.
-- ARGV: id
-- Returns 1 done, 0 not failed, -1 no such task.
local r = head(ARGV[1])
if not r then return -1 end
if r.state ~= 'f' then return 0 end
call('ZREM', P .. 'dead', r.id)
r.state, r.failures, r.ended = 'p', 0, 0
put(r)
call('PERSIST', r.key)
count('failed', -1)
waiting(r.prio, 1)
push(lane(r), { r.id }, false)
return 1
