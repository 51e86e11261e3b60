-- blob: makes a blob of an upload, unless it is there already, and has it stay for a while.
-- ARGV: name, upload or '', bytes, ms
-- Returns 1 it is there, 0 it is not.
local refused = entrance()
if refused then return refused end
room()
local key, upload = P .. 'b:' .. ARGV[1], P .. 'bu:' .. ARGV[2]
local there = call('STRLEN', key) == tonumber(ARGV[3]) and call('EXISTS', key) == 1
if not there and ARGV[2] ~= '' and call('STRLEN', upload) == tonumber(ARGV[3]) and call('EXISTS', upload) == 1 then
  call('RENAME', upload, key)
  there = true
elseif ARGV[2] ~= '' then
  call('DEL', upload)
end
if there then refer(ARGV[1], 0, now() + ARGV[4]) end
return there and 1 or 0
