-- show: what the leader sees of rollouts, for people.
-- ARGV: term, text, ttl ms
-- Returns 1, or -2 deposed.
if not leads(ARGV[1]) then return -2 end
call('SET', P .. 'ota', ARGV[2], 'PX', ARGV[3])
return 1
