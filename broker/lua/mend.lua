-- mend: what stands in two places must agree. Lanes stand in `act` exactly when they are
-- not empty; `used` counts what a spore's queue and own set hold; a spore that holds
-- something is listed, and runs what it holds; no heartbeat comes from the future.
-- ARGV: term, then what to look at: a letter and a name: s spore, S what can be no
--       spore's name, l lane, L what can be no lane's name
-- Returns {'deposed'} or {'ok', then per mend: what, name, was, is}.
if not leads(ARGV[1]) then return { 'deposed' } end
allowed()
for command, names in pairs({
  SCARD = { 'act', 'nodes' }, HLEN = { 'used', 'run', 'ct', 'sk', 'flow', 'cron', 'cronat' }, LLEN = { 'bell', 'ctl', 'rcl' },
  ZCARD = { 'delay', 'dead', 'kx' }, STRLEN = { 'fmt', 'skgen', 'ctlgen', 'rcb', 'ota' },
}) do
  for _, name in ipairs(names) do call(command, P .. name) end -- a foreign value gives way
end

local MOST_OWN = 2000 -- of a spore that claims more, the rest another time
local t, out, look = now(), { 'ok' }, {}
local function mended(what, name, was, is)
  count('mended', 1)
  for _, word in ipairs({ what, name, tostring(was), tostring(is) }) do out[#out + 1] = word end
end

function look.s(spore)
  local own, hb = P .. 'own:' .. spore, P .. 'hb:' .. spore
  local all = call('SCARD', own) <= MOST_OWN
  for _, id in ipairs(call('SRANDMEMBER', own, MOST_OWN)) do
    local r = head(id)
    if not r or not holds(r, spore) then
      call('SREM', own, id)
      mended('own', sub(id, 1, 99), spore, '')
    end
  end
  local n = call('LLEN', P .. 'n:' .. spore) + call('SCARD', own)
  local used = tonumber(call('HGET', P .. 'used', spore) or 0) or -1
  if used ~= n and all then
    if n == 0 then call('HDEL', P .. 'used', spore) else call('HSET', P .. 'used', spore, n) end
    mended('used', spore, used, n)
  end
  if n > 0 and call('SADD', P .. 'nodes', spore) == 1 then mended('nodes', spore, 0, 1) end
  local beat = tonumber(call('HGET', hb, 'beat'))
  if beat and beat > t + 1000 then -- redis' clock went back: the lease begins anew
    call('HSET', hb, 'beat', t)
    mended('beat', spore, beat, t)
  end
end

function look.S(name)
  if call('SREM', P .. 'nodes', name) + call('HDEL', P .. 'used', name) > 0 then mended('nodes', sub(name, 1, 99), 1, 0) end
end

function look.l(name)
  local len, active = call('LLEN', P .. 'in:' .. name), call('SISMEMBER', P .. 'act', name)
  if len > 0 and active == 0 then
    call('SADD', P .. 'act', name)
    ring('L' .. len .. ' ' .. sub(call('LINDEX', P .. 'in:' .. name, 0), 1, 99) .. ' ' .. name)
    mended('act', name, 0, 1)
  elseif len == 0 and active == 1 then
    call('SREM', P .. 'act', name)
    mended('act', name, 1, 0)
  end
end

function look.L(name) -- some version of ours may know tasks to whom it belongs
  local r = head(call('LINDEX', P .. 'in:' .. name, 0) or '')
  if r and laneOf(r) == name then return end
  if call('EXISTS', P .. 'in:' .. name) == 1 then aside(P .. 'in:' .. name) end
  if call('SREM', P .. 'act', name) == 1 then mended('act', sub(name, 1, 99), 1, 0) end
end

for i = 2, #ARGV do look[sub(ARGV[i], 1, 1)](sub(ARGV[i], 2)) end
if #out > 1 then freed() end
return out
