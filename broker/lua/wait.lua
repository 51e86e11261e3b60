-- wait: registers an inbox with tasks, or answers with those that are over.
-- ARGV: inbox, ttl ms, most inboxes per task, then ids
-- Returns per id: the record if it is over, '' if it is not known, '0' registered,
-- '1' too many wait already.
allowed()
local out = {}
for i = 4, #ARGV do
  local r = head(ARGV[i])
  local answer = ''
  if r and (r.state == 'c' or r.state == 'f' or r.state == 'x') then
    answer = whole(r) or ''
  elseif r and address(r) == ARGV[1] then
    answer = '0'
  elseif r and call('SCARD', P .. 'wait:' .. r.id) >= tonumber(ARGV[3])
    and call('SISMEMBER', P .. 'wait:' .. r.id, ARGV[1]) == 0 then
    answer = '1'
  elseif r then
    call('SADD', P .. 'wait:' .. r.id, ARGV[1])
    call('PEXPIRE', P .. 'wait:' .. r.id, ARGV[2])
    if not has(r.flags, WAITED) then
      r.flags = r.flags + WAITED
      put(r)
    end
    answer = '0'
  end
  out[#out + 1] = answer
end
return out
