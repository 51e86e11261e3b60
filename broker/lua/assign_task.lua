-- assign_task: pending -> assigned for one task out of turn, wherever it stands in
-- its lane. It looks through the lane: not for the way of every task.
-- ARGV: term, id, spore
-- Returns 1 assigned (also if that spore had it already: it may be a repeat), 0 not
-- in a lane, -1 no such spore or task, -2 deposed.
if not leads(ARGV[1]) then return -2 end
local r, spore = head(ARGV[2]), ARGV[3]
if not r or call('SISMEMBER', P .. 'nodes', spore) == 0 then return -1 end
local key = P .. 'in:' .. laneOf(r)
if r.state ~= 'p' or call('LREM', key, 1, r.id) == 0 then
  return (holds(r, spore) or r.state == 'p' and call('LPOS', P .. 'n:' .. spore, r.id)) and 1 or 0
end
if call('EXISTS', key) == 0 then call('SREM', P .. 'act', laneOf(r)) end
if call('RPUSH', P .. 'n:' .. spore, r.id) == 1 then hint(P .. 'db:' .. spore, 'W') end
left(spore, class(r), -1)
return 1
