-- due: a time of a cron has come. Makes its task, if there is to be one, and notes the time, so
-- that nobody does so again.
-- ARGV: term, cron, time up to which it was looked after, time up to which it is now (Unix
-- ms), then of the task, if one is made: id, lane, record before and after when it was created
-- Returns -2 deposed, 0 somebody has looked after it or it is gone, 1 done, or the id of the
-- task that has its unique key.
if not leads(ARGV[1]) then return -2 end
if call('HGET', P .. 'cronat', ARGV[2]) ~= ARGV[3] then return 0 end
local first = #ARGV > 4 and create(ARGV[5], ARGV[6], ARGV[7], p48(now()), ARGV[8])
line()
call('HSET', P .. 'cronat', ARGV[2], ARGV[4])
return type(first) == 'string' and first or 1
