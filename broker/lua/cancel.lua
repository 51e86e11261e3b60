-- cancel: any unfinished state -> cancelled. A pending task becomes a tombstone
-- where it stands; a running one is fenced off and its spore told to kill it.
-- ARGV: retention ms, then ids
-- Returns per id: the letter of the state it was cancelled in, 'F' and the letter
-- of its state if it was over already, or '' if there is no such task.
allowed()
local t, ttl, out, free = now(), tonumber(ARGV[1]), {}, false
for i = 2, #ARGV do
  local r = head(ARGV[i])
  if not r then
    out[#out + 1] = ''
  elseif r.state == 'c' or r.state == 'f' or r.state == 'x' then
    out[#out + 1] = 'F' .. r.state
  else
    out[#out + 1] = r.state
    if r.state == 'r' then leave(r); kill(r); free = true end
    if r.state == 's' then call('ZREM', P .. 'delay', r.id) end
    local keep = ttl
    if r.state == 'p' then
      waiting(r.prio, -1)
      r.flags, keep = r.flags + QUEUED, 0
    end
    r.ended, r.plen, r.olen = t, 0, 0
    finish(r, 'x', '', keep)
    count('cancelled', 1)
  end
end
if free then freed() end
return out
