-- cancel: any unfinished state -> cancelled. A pending task becomes a tombstone
-- where it stands; a running one is fenced off and its spore told to kill it.
-- ARGV: retention ms, token of this call, letters of the states that are meant, then ids
-- Returns per id: the letter of the state it was cancelled in, 'F' and the letter
-- of its state if it was over already, 'N' and that if another state is meant, or '' if there is
-- no such task. A repeat,
-- which knows its token, answers as the first time.
allowed()
local t, ttl, token, out, free = p48(now()), ARGV[1], ARGV[2], {}, false
for i = 4, #ARGV do
  local r = head(ARGV[i])
  if not r then
    out[#out + 1] = ''
  elseif r.state == 'c' or r.state == 'f' or r.state == 'x' then
    local done = r.state == 'x' and outcome(r) or ''
    local was = sub(done, -1)
    out[#out + 1] = done == mark(token .. was) and was or 'F' .. r.state
  elseif not string.find(ARGV[3], r.state, 1, true) then
    out[#out + 1] = 'N' .. r.state
  else
    out[#out + 1] = r.state
    if r.state == 'r' then leave(r); kill(r); free = true end
    if r.state == 's' then call('ZREM', P .. 'delay', r.id) end
    local keep = ttl
    if r.state == 'p' then
      count(r.prio, -1)
      clear(r, QUEUED)
      r.flags, keep = r.flags + QUEUED, '0'
    end
    local body = mark(token .. out[#out])
    r.ended, r.plen, r.olen = t, 0, #body
    finish(r, 'x', keep, body, '')
    count('cancelled', 1)
  end
end
if free then freed() end
return out
