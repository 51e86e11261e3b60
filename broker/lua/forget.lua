-- forget: takes the records of tasks that are over off the road, and what hangs on them.
-- ARGV: letters of the states that are meant, then ids
-- Returns per id: 1 it is gone, 0 it is in another state, -1 there is none (it may be a repeat),
-- -2 its tombstone still stands in a queue.
allowed()
local meant, out = ARGV[1], {}
local function forget(r)
  if not r then return -1 end
  if not string.find(meant, r.state, 1, true) then return 0 end
  if has(r.flags, QUEUED) then return -2 end
  local name, timed = bound(r, UNIQUE), bound(r, UNIQUE_FOR)
  local key = P .. 'u:' .. (name or sub(timed or '', 7))
  if (name or timed) and call('GET', key) == r.id then call('DEL', key) end
  call('DEL', r.key, P .. 'em:' .. r.id, P .. 'pg:' .. r.id, P .. 'wait:' .. r.id, P .. 'rc:' .. r.id .. ':' .. r.attempt)
  call('ZREM', P .. 'dead', r.id)
  return 1
end
for i = 2, #ARGV do out[i - 1] = forget(head(ARGV[i])) end
return out
