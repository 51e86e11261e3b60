-- blob: makes a blob of an upload, also where one of that name is there, and has it stay for a
-- while.
-- ARGV: name, upload or '', bytes, ms
-- Returns 1 it is there, 0 it is not.
local refused = entrance()
if refused then return refused end
allowed() -- whoever completes a task goes on without memory, and an upload has asked for it
local key, upload, size = P .. 'b:' .. ARGV[1], P .. 'bu:' .. ARGV[2], tonumber(ARGV[3])
local function is(name) return call('EXISTS', name) == 1 and call('STRLEN', name) == size end
if ARGV[2] ~= '' and is(upload) then
  call('RENAME', upload, key)
  call('PERSIST', key) -- tasks may refer to it already
end
if not is(key) then return 0 end
refer(ARGV[1], 0, now() + ARGV[4])
return 1
