-- fetch: assigned -> running. The fence rises by one, the spore holds the lease.
-- The same request number gets the same answer again.
-- ARGV: spore, incarnation, request number, most tasks, most bytes, retention ms
-- Returns {'unregistered'}, or {'ok', ids left in the queue, then per task: id, its
-- record's header, its record with the header it had}.
local spore, hb = ARGV[1], P .. 'hb:' .. ARGV[1]
local refused = entrance()
if refused then return refused end
local seen = call('HMGET', hb, 'inc', 'req', 'ans')
if seen[1] ~= ARGV[2] then return { 'unregistered' } end
local queue, out = P .. 'n:' .. spore, { 'ok', 0 }

local function answer(r, header)
  out[#out + 1] = r.id
  out[#out + 1] = header
  out[#out + 1] = r.text
end
local READ = '511' -- one read of 512 bytes nearly always holds a small payload, too

if seen[2] == ARGV[3] then
  for id, attempt in string.gmatch(seen[3] or '', '(%S+) (%d+)') do
    local r = head(id, READ)
    if r and r.state == 'r' and r.attempt == tonumber(attempt) and input(r) then answer(r, header(r)) end
  end
  out[2] = call('LLEN', queue)
  return out
end

local t, owner, ttl = p48(now()), pad(spore), ARGV[6]
local ans, own, taken, bytes, dropped = {}, {}, 0, tonumber(ARGV[5]), false
local ids = call('LRANGE', queue, '0', ARGV[4] - 1)
if #ids > 0 then allowed() end
for _, id in ipairs(ids) do
  if bytes <= 0 then break end
  taken = taken + 1
  local r = head(id, READ)
  local pending = r and r.state == 'p'
  if pending and late(r, u48(t, 1)) then
    lapse(r, u48(t, 1), ttl)
    pending = false
  end
  if pending and input(r) then
    r.state, r.attempt, r.times, r.owner = 'r', r.attempt + 1, sub(r.times, 1, 6) .. t, owner
    clear(r, CONFLICTED)
    answer(r, put(r))
    count(r.prio, -1)
    count('running', 1)
    own[#own + 1] = id
    ans[#ans + 1] = id .. ' ' .. r.attempt
    bytes = bytes - r.plen
  else
    if pending then count(r.prio, -1); vanish(r) end
    drop(spore, id, r, u48(t, 1), ttl)
    dropped = true
  end
end
if taken > 0 then call('LTRIM', queue, taken, '-1') end
chunks(own, function(...) call('SADD', P .. 'own:' .. spore, ...) end)
if dropped then freed() end -- tombstones held places that others wait for
call('HSET', hb, 'req', ARGV[3], 'ans', table.concat(ans, ' '))
out[2] = call('LLEN', queue)
return out
