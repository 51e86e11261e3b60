-- campaign: takes, keeps or (ttl 0) gives up the lead. A new leader gets a new
-- epoch, which every script of the leader checks. Who only asks writes nothing.
-- ARGV: nexus, ttl ms
-- Returns {epoch, leading nexus ('' if none), ms until its lease ends}.
local key, t, ttl = P .. 'lead', now(), tonumber(ARGV[2])
if ttl > 0 then allowed() end
local refused = ttl > 0 and entrance()
if refused then return refused end
if ttl > 0 and not format() then
  if call('EXISTS', P .. 'fmt') == 1 then aside(P .. 'fmt') end
  call('SET', P .. 'fmt', VERSION)
end
local seen = call('HMGET', key, 'epoch', 'id', 'until')
local epoch, id, ends = natural(seen[1]), seen[2] or '', natural(seen[3])
if ttl > 0 and epoch > t + 86400000 then -- epochs begin at the clock and rise by one: no term of ours
  foreign('no epoch: ' .. seen[1])
  epoch, ends = 0, 0
end
if ttl > 0 and ends > t + math.max(ttl, 60000) then ends = 0 end -- no lease is that long: redis' clock went back
if ttl == 0 and id ~= '' and id == ARGV[1] then
  allowed()
  call('HSET', key, 'until', t)
  return { epoch, '', 0 }
end
if ttl == 0 or (ends > t and id ~= ARGV[1]) then
  return { epoch, ends > t and id or '', math.max(0, ends - t) }
end
if id ~= ARGV[1] or ends <= t or epoch == 0 then
  -- A road that lost its memory must not give an epoch out twice.
  epoch = epoch == 0 and t or epoch + 1
  call('HSET', key, 'epoch', epoch, 'id', ARGV[1], 'seq', 0, 'vacant', math.max(0, t - ends))
end
call('HSET', key, 'until', t + ttl)
return { epoch, ARGV[1], ttl }
