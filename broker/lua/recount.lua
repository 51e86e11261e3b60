-- recount: the counters must agree with what stands where, as far as that can be counted
-- without keeping others waiting.
-- ARGV: term, most ids and names
-- Returns {'deposed'}, {'many'}, or {'ok', then per mend: what, name, was, is}.
if not leads(ARGV[1]) then return { 'deposed' } end
local many = tonumber(ARGV[2])
if call('SCARD', P .. 'act') + call('SCARD', P .. 'nodes') + call('HLEN', P .. 'run') + call('HLEN', P .. 'bl') > many then return { 'many' } end
local lanes, spores = call('SMEMBERS', P .. 'act'), call('SMEMBERS', P .. 'nodes')
local total = call('ZCARD', P .. 'delay')
for _, name in ipairs(lanes) do total = total + call('LLEN', P .. 'in:' .. name) end
for _, spore in ipairs(spores) do
  total = total + call('LLEN', P .. 'n:' .. spore) + call('SCARD', P .. 'own:' .. spore)
end
if total > many then return { 'many' } end

allowed()
local tasks, classes, refs = { running = 0 }, {}, {}
for prio = 0, 10 do tasks['w' .. prio] = 0 end
local function see(id, spore, state, field)
  local r = head(id)
  if not r then return end
  local data = not OVER[r.state] and blobOf(r)
  if data then refs[data] = (refs[data] or 0) + 1 end
  if spore then classes[class(r)] = (classes[class(r)] or 0) + 1 end
  field = field or 'w' .. r.prio
  if r.state == state then tasks[field] = tasks[field] + 1 end
end
for _, name in ipairs(lanes) do
  for _, id in ipairs(call('LRANGE', P .. 'in:' .. name, 0, -1)) do see(id, nil, 'p') end
end
for _, spore in ipairs(spores) do
  for _, id in ipairs(call('LRANGE', P .. 'n:' .. spore, 0, -1)) do see(id, spore, 'p') end
  for _, id in ipairs(call('SMEMBERS', P .. 'own:' .. spore)) do see(id, spore, 'r', 'running') end
end

for _, id in ipairs(call('ZRANGE', P .. 'delay', 0, -1)) do see(id, nil, '', 'running') end -- for its payload alone

local out = { 'ok' }
local function compare(hash, want)
  local held, flat = {}, call('HGETALL', P .. hash)
  for i = 1, #flat, 2 do held[flat[i]] = flat[i + 1] end
  if hash == 'run' then
    for name in pairs(held) do want[name] = want[name] or 0 end
  end
  for name, n in pairs(want) do
    local was = held[name] or '0'
    if tonumber(was) ~= n then
      if n == 0 then call('HDEL', P .. hash, name) else call('HSET', P .. hash, name, n) end
      count('mended', 1)
      for _, word in ipairs({ hash, name, was, tostring(n) }) do out[#out + 1] = word end
    end
  end
end
-- A record that was moved aside took no leave of its payload.
local flat, counts = call('HGETALL', P .. 'bl'), {}
for i = 1, #flat, 2 do counts[flat[i]] = natural(string.match(flat[i + 1], '^%d+')) end
for name in pairs(refs) do counts[name] = counts[name] or 0 end
for name, was in pairs(counts) do
  local n = refs[name] or 0
  if n ~= was then
    refer(name, n - was, now() + 3600000)
    count('mended', 1)
    for _, word in ipairs({ 'bl', name, tostring(was), tostring(n) }) do out[#out + 1] = word end
  end
end
compare('ct', tasks)
compare('run', classes)
return out
