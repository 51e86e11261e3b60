-- enqueue: new -> pending. Ids already there count as success.
-- ARGV: inbox that waits for all of them (or ''), its ttl in ms, then per task:
--       id, lane, record with created = 0
-- Returns how many tasks are new.
local refused = entrance()
if refused then return refused end
local t, inbox, new = p48(now()), ARGV[1], 0
for i = 3, #ARGV, 3 do
  local id = ARGV[i]
  if create(id, ARGV[i + 1], ARGV[i + 2], t) then
    new = new + 1
    if inbox ~= '' then
      call('SADD', P .. 'wait:' .. id, inbox)
      call('PEXPIRE', P .. 'wait:' .. id, ARGV[2])
    end
  end
end
line()
return new
