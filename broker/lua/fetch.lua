-- fetch: assigned -> running. The fence rises by one, the spore holds the lease.
-- The same request number gets the same answer again.
-- ARGV: spore, incarnation, request number, most tasks, most bytes, retention ms
-- Returns {'unregistered'}, or {'ok', ids left in the queue, then per task: id,
-- record without the last outcome}.
local spore, hb = ARGV[1], P .. 'hb:' .. ARGV[1]
local refused = entrance()
if refused then return refused end
local seen = call('HMGET', hb, 'inc', 'req', 'ans')
if seen[1] ~= ARGV[2] then return { 'unregistered' } end
local queue, out = P .. 'n:' .. spore, { 'ok', 0 }

local function answer(r, body)
  r.olen = 0
  out[#out + 1] = r.id
  out[#out + 1] = header(r) .. r.fields .. body
end

if seen[2] == ARGV[3] then
  for id, attempt in string.gmatch(seen[3] or '', '(%S+) (%d+)') do
    local r = head(id)
    local body = r and r.state == 'r' and r.attempt == tonumber(attempt) and payload(r)
    if body then answer(r, body) end
  end
  out[2] = call('LLEN', queue)
  return out
end

local t, ans, room, bytes, dropped = now(), {}, tonumber(ARGV[4]), tonumber(ARGV[5]), false
while room > 0 and bytes > 0 do
  local id = call('LPOP', queue)
  if not id then break end
  local r = head(id)
  local body = r and r.state == 'p' and payload(r)
  if body then
    r.state, r.attempt, r.started, r.owner = 'r', r.attempt + 1, t, pad(spore)
    clear(r, CONFLICTED)
    put(r)
    call('SADD', P .. 'own:' .. spore, id)
    waiting(r.prio, -1)
    count('running', 1)
    answer(r, body)
    ans[#ans + 1] = id .. ' ' .. r.attempt
    room, bytes = room - 1, bytes - r.plen
  else
    if r and body == nil then waiting(r.prio, -1); vanish(r) end
    drop(spore, id, r, t, tonumber(ARGV[6]))
    dropped = true
  end
end
if dropped then freed() end -- tombstones held places that others wait for
call('HSET', hb, 'req', ARGV[3], 'ans', table.concat(ans, ' '))
out[2] = call('LLEN', queue)
return out
