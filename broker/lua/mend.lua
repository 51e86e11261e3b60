-- mend: what stands in two places must agree. Lanes stand in `act` exactly when they are
-- not empty; `used` counts what a spore's queue and own set hold; a spore that holds
-- something is listed.
-- ARGV: term, number of spores, spores..., lanes...
-- Returns {'deposed'} or {'ok', then per mend: what, name, was, is}.
if not leads(ARGV[1]) then return { 'deposed' } end
allowed()
local out, spores = { 'ok' }, tonumber(ARGV[2])
local function size(command, key)
  local n = redis.pcall(command, key)
  return type(n) == 'number' and n or 0
end
local function mended(what, name, was, is)
  count('mended', 1)
  for _, word in ipairs({ what, name, tostring(was), tostring(is) }) do out[#out + 1] = word end
end
for i = 3, 2 + spores do
  local spore = ARGV[i]
  local holds = size('LLEN', P .. 'n:' .. spore) + size('SCARD', P .. 'own:' .. spore)
  local used = tonumber(call('HGET', P .. 'used', spore) or '0') or -1
  if used ~= holds then
    if holds == 0 then call('HDEL', P .. 'used', spore) else call('HSET', P .. 'used', spore, holds) end
    mended('used', spore, used, holds)
  end
  if holds > 0 and call('SADD', P .. 'nodes', spore) == 1 then mended('nodes', spore, 0, 1) end
end
for i = 3 + spores, #ARGV do
  local name = ARGV[i]
  local len, active = size('LLEN', P .. 'in:' .. name), call('SISMEMBER', P .. 'act', name)
  if len > 0 and active == 0 then
    call('SADD', P .. 'act', name)
    ring('L' .. len .. ' ' .. call('LINDEX', P .. 'in:' .. name, 0) .. ' ' .. name)
    mended('act', name, 0, 1)
  elseif len == 0 and active == 1 then
    call('SREM', P .. 'act', name)
    mended('act', name, 1, 0)
  end
end
return out
