-- cron: adds, replaces or removes what makes a task again and again, and tells the foreman.
-- ARGV: name, '' or what it is, 1: it may take another's place, most of them
-- Returns 1 done, 0 it is not there (to remove) or is already (to add), -1 too many.
local refused = entrance()
if refused then return refused end
local name, text = ARGV[1], ARGV[2]
if text == '' then
  call('HDEL', P .. 'cronat', name)
  ring('C')
  return call('HDEL', P .. 'cron', name)
end
local there = call('HEXISTS', P .. 'cron', name) == 1
if there and ARGV[3] ~= '1' then return 0 end
if not there and call('HLEN', P .. 'cron') >= tonumber(ARGV[4]) then return -1 end
call('HSET', P .. 'cron', name, text)
call('HSET', P .. 'cronat', name, string.format('%.0f', now()))
ring('C')
return 1
