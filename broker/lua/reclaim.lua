-- reclaim: the tasks of a spore whose lease ended go back to their lanes; those
-- that ran are one failure older, or failed. A spore that is empty and long
-- silent is forgotten.
-- ARGV: term, spore, lease ms, outcome fields, retention ms, most ids
-- Returns how many ids were moved; -1: the lease still holds; -2: deposed.
if not leads(ARGV[1]) then return -2 end
local spore, t = ARGV[2], now()
local beat = call('HGET', P .. 'hb:' .. spore, 'beat')
beat = beat and tonumber(beat)
if beat and t - beat < tonumber(ARGV[3]) then return -1 end
call('HDEL', P .. 'hb:' .. spore, 'inc') -- whoever comes back must register anew
local moved = takeback(spore, ARGV[4], t, ARGV[5], tonumber(ARGV[6]))
if moved > 0 then freed() end -- a limit may have held others back for these
if moved == 0 and not beat then
  call('SREM', P .. 'nodes', spore)
  call('HDEL', P .. 'used', spore)
  call('DEL', P .. 'hb:' .. spore, P .. 'db:' .. spore)
end
return moved
