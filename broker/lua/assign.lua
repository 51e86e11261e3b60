-- assign: pending -> assigned. Moves ids from lanes to spores' queues; records
-- are not touched, but for tombstones of a grant that is to count none: they are looked for
-- as far as it may take, and expire from now on. A repeat of a sequence number moves nothing.
-- ARGV: term, sequence, retention ms, how many buckets the tasks come out of, then per bucket:
-- name, when it is full again, ms it is kept; then per grant: lane, class, spore, count (below
-- 0: of tombstones none counts)
-- Returns {'deposed'}, {'repeat', sequence done last}, or {'ok', then per grant: moved, left in the
-- lane, tasks the spore holds (-1: it is gone), id now at the lane's head}.
if not leads(ARGV[1]) then return { 'deposed' } end
local last = natural(call('HGET', P .. 'lead', 'seq'))
if last > 1e12 then last = 0 end -- nobody has counted that far
if tonumber(ARGV[2]) <= last then return { 'repeat', string.format('%.0f', last) } end
allowed()
call('HSET', P .. 'lead', 'seq', ARGV[2])
local out, first = { 'ok' }, 5 + 3 * ARGV[4]
for i = 5, first - 1, 3 do call('SET', P .. 'rl:' .. ARGV[i], ARGV[i + 1], 'PX', ARGV[i + 2]) end

-- live pops at most n ids, and from there on as many more as are tombstones.
local function live(key, n)
  local ids, looked = {}, 0
  while #ids < n and looked < n + CHUNK do
    local id = call('LPOP', key)
    if not id then break end
    looked = looked + 1
    local r = head(id)
    if r and r.state == 'p' then ids[#ids + 1] = id end
    if r and has(r.flags, QUEUED) then buried(r, now(), ARGV[3]) end
    if not r then foreign('no task: ' .. id .. ' in a lane') end
  end
  return ids
end

for i = first, #ARGV, 4 do
  local name, kind, spore = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local key, ids, holds = P .. 'in:' .. name, {}, -1
  if call('SISMEMBER', P .. 'nodes', spore) == 1 then
    local n = tonumber(ARGV[i + 3])
    ids = n < 0 and live(key, -n) or call('LPOP', key, n) or {}
    holds = call('HINCRBY', P .. 'used', spore, #ids)
  end
  if #ids > 0 then
    if call('RPUSH', P .. 'n:' .. spore, unpack(ids)) == #ids then
      hint(P .. 'db:' .. spore, 'W')
    end
    call('HINCRBY', P .. 'run', kind, #ids)
  end
  local rest = call('LLEN', key)
  if rest == 0 then call('SREM', P .. 'act', name) end
  out[#out + 1] = #ids
  out[#out + 1] = rest
  out[#out + 1] = holds
  out[#out + 1] = rest > 0 and sub(call('LINDEX', key, 0), 1, 99) or ''
end
return out
