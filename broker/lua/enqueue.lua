-- enqueue: new -> pending. Ids already there count as success.
-- ARGV: inbox that waits for all of them (or ''), its ttl in ms, then per task:
--       id, lane, record with created = 0
-- Returns how many tasks are new.
local t, inbox, new = p48(now()), ARGV[1], 0
local lanes, order = {}, {}
for i = 3, #ARGV, 3 do
  local id, where, s = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local s = sub(s, 1, 12) .. t .. sub(s, 19)
  if call('SET', P .. 't:' .. id, s, 'NX') then
    new = new + 1
    if not lanes[where] then lanes[where] = {}; order[#order + 1] = where end
    local ids = lanes[where]
    ids[#ids + 1] = id
    waiting(byte(s, 3), 1)
    if inbox ~= '' then
      call('SADD', P .. 'wait:' .. id, inbox)
      call('PEXPIRE', P .. 'wait:' .. id, ARGV[2])
    end
  end
end
for _, where in ipairs(order) do push(where, lanes[where], false) end
return new
