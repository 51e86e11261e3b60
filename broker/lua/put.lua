-- put: writes a piece of an upload to its place.
-- ARGV: upload, from which byte on, ms after which it is gone, piece
-- Returns 1, or 0 if what comes before it is gone.
local refused = entrance()
if refused then return refused end
local key = P .. 'bu:' .. ARGV[1]
if call('STRLEN', key) < tonumber(ARGV[2]) then return 0 end -- redis would put zeros there
if ARGV[4] == '' then call('SET', key, '') else call('SETRANGE', key, ARGV[2], ARGV[4]) end
call('PEXPIRE', key, ARGV[3])
return 1
