-- forget: takes the records of tasks that are over off the road.
-- ARGV: ids
-- Returns per id: 1 it is gone (also if there was none: it may be a repeat), 0 it is not
-- over, or its tombstone still stands in a queue.
allowed()
local out = {}
for i, id in ipairs(ARGV) do
  local r = head(id)
  out[i] = 1
  if r and OVER[r.state] and not has(r.flags, QUEUED) then
    call('DEL', r.key)
    call('ZREM', P .. 'dead', id)
  elseif r then
    out[i] = 0
  end
end
return out
