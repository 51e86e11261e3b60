-- adopt: a task that stands nowhere goes back to where its state says. Who asks has
-- looked for it twice. What ran has lost its attempt. A tombstone expires from now on.
-- ARGV: term, id, state, attempt, outcome fields, retention ms
-- Returns 1 adopted, 0 it is another one by now, -2 deposed.
if not leads(ARGV[1]) then return -2 end
local r = head(ARGV[2])
if not r or r.state ~= ARGV[3] or r.attempt ~= tonumber(ARGV[4]) then return 0 end
allowed()
if r.state == 'r' then
  if call('SISMEMBER', P .. 'own:' .. unpad(r.owner), r.id) == 1 then return 0 end
  leave(r)
  r.failures = r.failures + 1
  if r.failures > r.retries then bury(r, ARGV[5], now(), ARGV[6]) else requeue(r) end
elseif r.state == 'p' or has(r.flags, QUEUED) then
  -- Two looks may have missed it while it moved, or this is a repeat.
  if call('LPOS', P .. 'in:' .. laneOf(r), r.id) then return 0 end
  for _, spore in ipairs(call('SMEMBERS', P .. 'nodes')) do
    if call('LPOS', P .. 'n:' .. spore, r.id) then return 0 end
  end
  if r.state == 'p' then push(laneOf(r), { r.id }, true) else buried(r, now(), ARGV[6]) end
elseif r.state == 's' then
  if call('ZADD', P .. 'delay', u48(r.ended, 1), r.id) == 0 then return 0 end
  ring('D')
else
  return 0
end
count('mended', 1)
return 1
