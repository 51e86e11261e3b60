-- expire: takes one attempt back from a living spore that let its timeout pass.
-- ARGV: term, id, attempt, timeout and grace in ms, outcome fields, retention ms
-- Returns 1 taken back, 0 not (any more) overdue, -2 deposed.
if not leads(ARGV[1]) then return -2 end
local r, t = head(ARGV[2]), now()
if not r or r.state ~= 'r' or r.attempt ~= tonumber(ARGV[3]) then return 0 end
if t - u48(r.times, 7) < tonumber(ARGV[4]) then return 0 end
leave(r)
kill(r)
r.failures = r.failures + 1
if r.failures > r.retries then bury(r, ARGV[5], t, ARGV[6]) else requeue(r) end
freed()
return 1
