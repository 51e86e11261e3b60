-- What every script shares; joined in front of each when it is loaded, behind foreign.
-- docs/redis-keys.md draws the keys and the record, byte by byte.
local floor = math.floor

local HEAD = 66      -- bytes of a record's fixed header
local PEEK = 511     -- one read of 512 bytes nearly always holds header and task fields
local CHUNK = 1000   -- values per push: unpack stops near 8,000
-- Header flags: somebody waits; a tombstone still stands in a queue; the attempt
-- took over in place from one whose effects conflicted.
local WAITED, QUEUED, CONFLICTED = 1, 2, 4
local INBOX_CAP, INBOX_TTL, INLINE = 100000, 600000, 4096
local STATES = { s = true, b = true, p = true, r = true, c = true, f = true, x = true }
local MOST = 4194304 -- bytes of a payload or a result at most, with much to spare

local function now()
  local t = call('TIME')
  return t[1] * 1000 + floor(t[2] / 1000)
end

-- Numbers in a record are big-endian.
local function u16(s, i) local a, b = byte(s, i, i + 1); return a * 256 + b end
local function u32(s, i)
  local a, b, c, d = byte(s, i, i + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end
local function u48(s, i) return u16(s, i) * 4294967296 + u32(s, i + 2) end
local function p16(n) return char(floor(n / 256) % 256, n % 256) end
local function p32(n)
  return char(floor(n / 16777216) % 256, floor(n / 65536) % 256, floor(n / 256) % 256, n % 256)
end
local function p48(n) return p16(floor(n / 4294967296)) .. p32(n % 4294967296) end

-- natural reads a number that ours write; 0 where it is none.
local function natural(s)
  return s and #s <= 15 and string.find(s, '^%d+$') and tonumber(s) or 0
end

-- parse reads the header of s into a table; nil if it is no record of ours.
local function parse(s)
  if #s < HEAD or sub(s, 1, 1) ~= VERSION then return nil end
  local r = {
    state = sub(s, 2, 2), prio = byte(s, 3), flags = byte(s, 4),
    attempt = u32(s, 5), failures = u16(s, 9), retries = u16(s, 11),
    created = u48(s, 13), started = u48(s, 19), ended = u48(s, 25),
    owner = sub(s, 31, 54), tlen = u32(s, 55), plen = u32(s, 59), olen = u32(s, 63),
  }
  if r.prio > 10 or r.flags > 7 or r.plen > MOST or r.olen > MOST or not STATES[r.state] then return nil end
  return r
end

-- header is parse backwards.
local function header(r)
  return VERSION .. r.state .. char(r.prio, r.flags) .. p32(r.attempt) .. p16(r.failures)
    .. p16(r.retries) .. p48(r.created) .. p48(r.started) .. p48(r.ended)
    .. r.owner .. p32(r.tlen) .. p32(r.plen) .. p32(r.olen)
end

-- head reads a record without its payload: the parsed header with `fields`
-- (the task's own) and `class` (the text of the first field). What is no record is
-- moved aside and counts as none, unless the road has become another version's.
local function head(id)
  local key = P .. 't:' .. id
  local s = call('GETRANGE', key, 0, PEEK)
  if s == '' then
    if call('GET', key) then aside(key) end -- it is empty
    return nil
  end
  local r = parse(s)
  if r and #s < HEAD + r.tlen and r.tlen < MOST then s = call('GETRANGE', key, 0, HEAD + r.tlen - 1) end
  if not r or r.tlen < 4 or #s < HEAD + r.tlen then
    if (format() or VERSION) == VERSION then aside(key) end
    return nil
  end
  r.id, r.key = id, key
  r.fields = sub(s, HEAD + 1, HEAD + r.tlen)
  r.class = sub(r.fields, 5, 4 + u32(char(0) .. sub(r.fields, 2, 4), 1))
  return r
end

local function pad(owner) return owner .. string.rep(char(0), 24 - #owner) end
local function unpad(owner) return (string.gsub(owner, '%z+$', '')) end
local function holds(r, spore) return r.state == 'r' and r.owner == pad(spore) end
local function has(flags, bit) return floor(flags / bit) % 2 == 1 end
local function clear(r, bit) if has(r.flags, bit) then r.flags = r.flags - bit end end
local function count(field, n) if n ~= 0 then call('HINCRBY', P .. 'ct', field, n) end end
local function waiting(prio, n) count('w' .. prio, n) end
local function put(r) call('SETRANGE', r.key, 0, header(r)) end

-- outcome reads the outcome fields. A call by hand leaves its mark there, a field
-- by which a repeat finds out that it was itself that did what it is asked for.
local function outcome(r)
  local at = HEAD + r.tlen + r.plen
  return r.olen > 0 and call('GETRANGE', r.key, at, at + r.olen - 1) or ''
end
local function mark(text) return char(68) .. sub(p32(#text), 2) .. text end

-- whole reads all of a record that is over; nil if it was cut short or is longer than
-- any can be, which is moved aside.
local function whole(r)
  local len = call('STRLEN', r.key)
  if len >= HEAD + r.tlen + r.plen + r.olen and len <= 3 * MOST then return call('GET', r.key) end
  aside(r.key)
end

-- payload reads a task's input; nil if the record was cut short, which is moved aside.
local function payload(r)
  local s = call('GETRANGE', r.key, HEAD + r.tlen, HEAD + r.tlen + r.plen - 1)
  if #s == r.plen then return s end
  aside(r.key)
end

-- allowed is the first write of a script that must go on when redis is out of
-- memory: redis refuses only the first one, and never this.
local function allowed() call('HDEL', P .. 'ct', '') end

-- room is the first write of a script that must not go on then: redis refuses
-- it, and the script with it. It changes nothing: no task has an empty id.
local function room() call('SET', P .. 't:', '', 'XX') end

-- push puts ids into a lane, at its tail or (front) its head. A push that finds
-- the lane empty enters it in `act` and rings the foreman, so a lane is in
-- `act` exactly when it is not empty.
local function push(lane, ids, front)
  local key, len = P .. 'in:' .. lane, 0
  local cmd = front and 'LPUSH' or 'RPUSH'
  for i = 1, #ids, CHUNK do
    len = call(cmd, key, unpack(ids, i, math.min(i + CHUNK - 1, #ids)))
  end
  if len == #ids then
    call('SADD', P .. 'act', lane)
    ring('L' .. len .. ' ' .. (front and ids[#ids] or ids[1]) .. ' ' .. lane)
  end
end

local function lane(r) return r.class .. ':' .. r.prio end

-- create writes the record of a new task, created at t (packed); line puts all that
-- were created into their lanes. create returns false if the id is taken.
local created, lanes = {}, {}
local function create(id, lane, s, t)
  local key, record = P .. 't:' .. id, sub(s, 1, 12) .. t .. sub(s, 19)
  -- What is there already may be no task: then it has given way.
  if not call('SET', key, record, 'NX') and (head(id) or not call('SET', key, record, 'NX')) then return false end
  waiting(byte(s, 3), 1)
  if not created[lane] then created[lane] = {}; lanes[#lanes + 1] = lane end
  local ids = created[lane]
  ids[#ids + 1] = id
  return true
end
local function line()
  for _, lane in ipairs(lanes) do push(lane, created[lane], false) end
end

-- requeue makes a record pending and puts it back to the head of its lane.
local function requeue(r)
  r.state = 'p'
  put(r)
  waiting(r.prio, 1)
  push(lane(r), { r.id }, true)
end

-- left takes n tasks of a class off a spore's account.
local function left(spore, class, n)
  if n == 0 then return end
  if call('HINCRBY', P .. 'used', spore, -n) <= 0 then call('HDEL', P .. 'used', spore) end
  if class and call('HINCRBY', P .. 'run', class, -n) <= 0 then call('HDEL', P .. 'run', class) end
end

-- leave ends a running attempt's place in its spore. It comes first among a
-- script's writes: SREM is allowed even when Redis is out of memory.
local function leave(r)
  local spore = unpad(r.owner)
  left(spore, r.class, call('SREM', P .. 'own:' .. spore, r.id))
  count('running', -1)
  clear(r, CONFLICTED)
end

-- freed tells the foreman that there is room again, if anything waits for it.
local function freed()
  if call('SCARD', P .. 'act') > 0 then ring('F') end
end

local function kill(r)
  hint(P .. 'db:' .. unpad(r.owner), 'K' .. r.attempt .. ' ' .. r.id)
end

-- tell puts an item into the inboxes of all who wait for a task.
local function tell(id, item)
  for _, ib in ipairs(call('SMEMBERS', P .. 'wait:' .. id)) do
    if call('LLEN', P .. 'ib:' .. ib) < INBOX_CAP then
      call('RPUSH', P .. 'ib:' .. ib, item)
      call('PEXPIRE', P .. 'ib:' .. ib, INBOX_TTL)
    end
  end
end

-- finish writes a terminal record and tells all who wait for it. body is what
-- follows the task fields; ttl is in ms (0: it keeps none).
local function finish(r, state, body, ttl)
  local waited = has(r.flags, WAITED)
  clear(r, WAITED)
  r.state = state
  local s = header(r) .. r.fields .. body
  if ttl > 0 then call('SET', r.key, s, 'PX', ttl) else call('SET', r.key, s) end
  if not waited then return end
  tell(r.id, 'T' .. r.id .. (#s <= INLINE and '\n' .. s or ''))
  call('DEL', P .. 'wait:' .. r.id)
end

-- complete makes a record completed. Its payload goes.
local function complete(r, outcome, result, t, ttl)
  r.ended, r.plen, r.olen = t, 0, #outcome
  finish(r, 'c', outcome .. result, ttl)
  count('completed', 1)
end

-- vanish tells who waits for a task that its record was moved aside.
local function vanish(r)
  tell(r.id, 'T' .. r.id)
  call('DEL', P .. 'wait:' .. r.id)
end

-- bury makes a record failed: the dead-letter list. Its payload stays, for a
-- retry by hand.
local function bury(r, outcome, t, ttl)
  local body = payload(r)
  if not body then return vanish(r) end
  r.ended, r.olen = t, #outcome
  finish(r, 'f', body .. outcome, ttl)
  call('ZADD', P .. 'dead', t, r.id)
  call('ZREMRANGEBYSCORE', P .. 'dead', '-inf', t - ttl)
  count('failed', 1)
end

-- buried lets a tombstone that stands in no queue any more expire.
local function buried(r, t, ttl)
  clear(r, QUEUED)
  put(r)
  call('PEXPIRE', r.key, math.max(ttl - (t - r.ended), 60000))
end

-- drop removes an id that came out of a spore's queue but is not pending: a
-- tombstone, which from now on expires, or an id whose record is gone.
local function drop(spore, id, r, t, ttl)
  left(spore, r and r.class, 1)
  if not r then foreign('no task: ' .. id .. ' in the queue of ' .. spore) end
  if r and has(r.flags, QUEUED) then buried(r, t, ttl) end
end

-- unqueue puts at most n tasks of a spore's queue back to their lanes, as they
-- were. Returns how many ids were moved.
local function unqueue(spore, t, ttl, n)
  local queue = P .. 'n:' .. spore
  for moved = 0, n - 1 do -- from the tail, so that the oldest ends at the lane's head
    local id = call('LINDEX', queue, -1)
    if not id then return moved end
    local r = head(id)
    if r and r.state == 'p' then push(lane(r), { id }, true) end -- before it leaves: it may not be let
    call('RPOP', queue)
    if r and r.state == 'p' then left(spore, r.class, 1) else drop(spore, id, r, t, ttl) end
  end
  return n
end

-- takeback empties a spore's own set and queue, at most n ids of each. What ran
-- goes back as the next attempt; with an outcome that costs a failure. Returns
-- how many ids were moved.
local function takeback(spore, outcome, t, ttl, n)
  local moved = unqueue(spore, t, ttl, n) -- first: what ran belongs before it
  local ids = call('SRANDMEMBER', P .. 'own:' .. spore, n)
  for _, id in ipairs(ids) do
    local r = head(id)
    if not r or not holds(r, spore) then
      left(spore, r and r.class, call('SREM', P .. 'own:' .. spore, id))
    else
      leave(r)
      if outcome then r.failures = r.failures + 1 end
      if outcome and r.failures > r.retries then bury(r, outcome, t, ttl) else requeue(r) end
    end
  end
  return moved + #ids
end

-- sweep takes keys out of the indexes whose values have expired. An embedded road's
-- go up to a second late, so it looks at what was due a while ago.
local function sweep(t)
  for _, name in ipairs(call('ZRANGEBYSCORE', P .. 'kx', '-inf', t - 5000, 'LIMIT', 0, CHUNK)) do
    call('ZREM', P .. 'kx', name)
    local space, key = string.match(name, '^([^:]*):(.*)$')
    if space and call('EXISTS', P .. 'kv:' .. name) == 0 then
      call('ZREM', P .. 'ki:' .. space, key)
    end
  end
end

-- leads reports whether term ("epoch nexus") is the one that runs now, on a road of our
-- format. The name stands in it because a failover of redis may give an epoch out twice.
local function leads(term)
  if entrance() then return false end
  local now = call('HMGET', P .. 'lead', 'epoch', 'id')
  return now[1] and now[2] and now[1] .. ' ' .. now[2] == term
end
