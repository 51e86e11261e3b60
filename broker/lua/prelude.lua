-- What every script shares; joined in front of each when it is loaded, behind foreign.
-- docs/redis-keys.md draws the keys and the record, byte by byte.
local floor = math.floor

local HEAD = 66      -- bytes of a record's fixed header
local PEEK = '159'   -- one read of 160 bytes nearly always holds header and task fields
local CHUNK = 1000   -- values per push: unpack stops near 8,000
-- Header flags: somebody waits; a tombstone still stands in a queue; the attempt
-- took over in place from one whose effects conflicted; the last of the task fields names
-- the inbox of who enqueued it; others of them bind it, to what TAGS name.
local WAITED, QUEUED, CONFLICTED, ADDRESSED, BOUND = 1, 2, 4, 8, 16
local DEADLINE, RETAIN, UNIQUE, UNIQUE_FOR, PAYLOAD = 7, 8, 10, 11, 13 -- tags of such fields
local RESULT = 71 -- tag of the first outcome field, where a blob is the result
local NAME, ADDRESS = 24, 28 -- bytes of a name that is padded, and of the field of an inbox
local INBOX_CAP, INBOX_TTL, INLINE = 100000, 600000, 4096
local STATES = { s = true, b = true, p = true, r = true, c = true, f = true, x = true }
local OVER = { c = true, f = true, x = true }
local LATER = 115 -- the byte of a scheduled task's state
local MOST = 4194304 -- bytes of a payload or a result at most, with much to spare

local function now()
  local t = call('TIME')
  return t[1] * 1000 + floor(t[2] / 1000)
end

-- Numbers in a record are big-endian. Two things cost a microsecond, and are avoided where
-- they would be for each task: a number that redis is given, which it formats, and 500
-- bytes of a new string, which Lua hashes.
local function u16(s, i) local a, b = byte(s, i, i + 1); return a * 256 + b end
local function u32(s, i)
  local a, b, c, d = byte(s, i, i + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end
local function u48(s, i) return u16(s, i) * 4294967296 + u32(s, i + 2) end
local function p16(n) return char(floor(n / 256) % 256, n % 256) end
local packed = {} -- the tasks of a call have most numbers in common
local function p32(n)
  local s = packed[n]
  if not s then
    s = p16(floor(n / 65536)) .. p16(n)
    packed[n] = s
  end
  return s
end
local function p48(n) return p16(floor(n / 4294967296)) .. p32(n % 4294967296) end
local NEVER = p48(0)

-- natural reads a number that ours write; 0 where it is none.
local function natural(s)
  return s and #s <= 15 and string.find(s, '^%d+$') and tonumber(s) or 0
end

-- parse reads a record's beginning into a table, its times packed as they are; nil if it
-- is no record of ours. The table has 16 fields, as many as it is made for: one more, and
-- Lua makes another.
local function parse(id, key, s)
  if #s < HEAD or sub(s, 1, 1) ~= VERSION then return nil end
  local prio, flags, a1, a2, a3, a4, f1, f2, m1, m2 = byte(s, 3, 12)
  local t1, t2, t3, t4, p1, p2, p3, p4, o1, o2, o3, o4 = byte(s, 55, HEAD)
  local tlen = ((t1 * 256 + t2) * 256 + t3) * 256 + t4
  local r = {
    id = id, key = key, text = s, fields = sub(s, HEAD + 1, HEAD + tlen),
    state = sub(s, 2, 2), prio = prio, flags = flags,
    attempt = ((a1 * 256 + a2) * 256 + a3) * 256 + a4, failures = f1 * 256 + f2, retries = m1 * 256 + m2,
    times = sub(s, 13, 24), ended = sub(s, 25, 30), owner = sub(s, 31, 54),
    tlen = tlen, plen = ((p1 * 256 + p2) * 256 + p3) * 256 + p4, olen = ((o1 * 256 + o2) * 256 + o3) * 256 + o4,
  }
  if prio > 10 or flags > 31 or r.plen > MOST or r.olen > MOST or not STATES[r.state] then return nil end
  return r
end

-- record is parse backwards: the header, and what is to follow it.
local function record(r, fields, a, b)
  return VERSION .. r.state .. char(r.prio, r.flags) .. p32(r.attempt) .. p16(r.failures)
    .. p16(r.retries) .. r.times .. r.ended .. r.owner .. p32(r.tlen) .. p32(r.plen) .. p32(r.olen)
    .. fields .. a .. b
end
local function header(r) return record(r, '', '', '') end

-- addressed reports whether the last of the task fields, behind the class, is an inbox.
local function addressed(r)
  return u32(r.fields, 1) % 16777216 + 4 + ADDRESS <= r.tlen and sub(r.fields, -ADDRESS, -NAME - 1) == '\6\0\0\24'
end

-- head reads the beginning of a record, up to a byte if it says which: the parsed header
-- with `fields` (the task's own), `times` (when it was created and its last attempt began)
-- and `text`, what was read. What is no record is moved aside and counts as none, unless
-- the road has become another version's.
local function head(id, last)
  local key = P .. 't:' .. id
  local s = call('GETRANGE', key, '0', last or PEEK)
  if s == '' then
    if call('GET', key) then aside(key) end -- it is empty
    return nil
  end
  local r = parse(id, key, s)
  if r and #r.fields < r.tlen and r.tlen < MOST then r = parse(id, key, call('GETRANGE', key, '0', HEAD + r.tlen - 1)) end
  if not r or r.tlen < 4 or #r.fields < r.tlen or r.flags % BOUND >= ADDRESSED and not addressed(r) then
    if (format() or VERSION) == VERSION then aside(key) end
    return nil
  end
  return r
end

-- bound is the value of a field that binds a task, nil if it has none.
local function bound(r, tag)
  if r.flags < BOUND then return nil end
  local s, i = r.fields, 1
  while i + 3 <= #s do
    local found, a, b, c = byte(s, i, i + 3)
    local n = (a * 256 + b) * 256 + c
    if found == tag then return sub(s, i + 4, i + 3 + n) end
    i = i + 4 + n
  end
end

-- ms is such a value that is a time, in ms.
local function ms(r, tag)
  local s = bound(r, tag)
  return s and #s >= 6 and u48(s, 1) or nil
end
local function late(r, t) return (ms(r, DEADLINE) or t) < t end

-- class is the text of the first field.
local function class(r)
  local _, a, b, c = byte(r.fields, 1, 4)
  return sub(r.fields, 5, 4 + (a * 256 + b) * 256 + c)
end

local pads, names = {}, {}
local function pad(name)
  local padded = pads[name] or name .. string.rep(char(0), NAME - #name)
  pads[name] = padded
  return padded
end
local function unpad(padded)
  local name = names[padded] or string.match(padded, '^%Z*')
  names[padded] = name
  return name
end
local function holds(r, spore) return r.state == 'r' and r.owner == pad(spore) end
local function has(flags, bit) return floor(flags / bit) % 2 == 1 end
local function clear(r, bit) if r.flags > 0 and has(r.flags, bit) then r.flags = r.flags - bit end end

-- put writes a record's header, and returns it.
local function put(r)
  local s = header(r)
  call('SETRANGE', r.key, '0', s)
  return s
end

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

-- input has a record's text reach to the end of the payload; false if the record was cut
-- short, which is moved aside.
local function input(r)
  local len = HEAD + r.tlen + r.plen
  if #r.text < len then r.text = call('GETRANGE', r.key, '0', len - 1) end
  if #r.text >= len then return true end
  aside(r.key)
  return false
end

-- payload reads a task's input, nil if the record was cut short.
local function payload(r)
  return input(r) and sub(r.text, HEAD + r.tlen + 1, HEAD + r.tlen + r.plen) or nil
end

-- allowed is the first write of a script that must go on when redis is out of
-- memory: redis refuses only the first one, and never this.
local function allowed() call('HDEL', P .. 'ct', '') end

-- A call may be about hundreds of tasks. What they change alike is entered here, and
-- written by settle, which closes every script, in one command for all of them: counters,
-- who leaves an own set (by spore and class), what a spore and a class hold, notices.
local counted, gone, used, ran, posts = {}, {}, {}, {}, {}

-- count adds to a counter; a number stands for that of tasks that wait at a priority.
local function count(field, n) counted[field] = (counted[field] or 0) + n end

-- left takes n tasks of a class off a spore's account.
local function left(spore, class, n)
  used[spore] = (used[spore] or 0) + n
  if class then ran[class] = (ran[class] or 0) + n end
end

-- leave ends a running attempt's place in its spore.
local function leave(r)
  if next(gone) == nil then allowed() end
  local class = class(r)
  local key = r.owner .. class
  local ids = gone[key]
  if not ids then
    ids = { spore = unpad(r.owner), class = class }
    gone[key] = ids
  end
  ids[#ids + 1] = r.id
  count('running', -1)
  clear(r, CONFLICTED)
end

-- post puts a notice into an inbox.
local function post(inbox, item)
  local items = posts[inbox]
  if not items then
    items = {}
    posts[inbox] = items
  end
  items[#items + 1] = item
end

-- chunks calls f for every CHUNK values of a list.
local function chunks(list, f)
  for i = 1, #list, CHUNK do f(unpack(list, i, math.min(i + CHUNK - 1, #list))) end
end

-- settle writes what was entered.
local function settle()
  for _, ids in pairs(gone) do
    chunks(ids, function(...) left(ids.spore, ids.class, call('SREM', P .. 'own:' .. ids.spore, ...)) end)
  end
  for hash, account in pairs({ used = used, run = ran }) do
    for name, n in pairs(account) do
      if n ~= 0 and call('HINCRBY', P .. hash, name, -n) <= 0 then call('HDEL', P .. hash, name) end
    end
  end
  for field, n in pairs(counted) do
    if n ~= 0 then call('HINCRBY', P .. 'ct', type(field) == 'number' and 'w' .. field or field, n) end
  end
  for inbox, items in pairs(posts) do
    local key = P .. 'ib:' .. inbox
    if call('LLEN', key) < INBOX_CAP then
      chunks(items, function(...) call('RPUSH', key, ...) end)
      call('PEXPIRE', key, INBOX_TTL)
    end
  end
  counted, gone, used, ran, posts = {}, {}, {}, {}, {}
end

-- room is the first write of a script that must not go on then: redis refuses
-- it, and the script with it. It changes nothing: no task has an empty id.
local function room() call('SET', P .. 't:', '', 'XX') end

-- push puts ids into a lane, at its tail or (front) its head. A push that finds
-- the lane empty enters it in `act` and rings the foreman, so a lane is in
-- `act` exactly when it is not empty.
local function push(lane, ids, front)
  local key, len = P .. 'in:' .. lane, 0
  local cmd = front and 'LPUSH' or 'RPUSH'
  chunks(ids, function(...) len = call(cmd, key, ...) end)
  if len == #ids then
    call('SADD', P .. 'act', lane)
    ring('L' .. len .. ' ' .. (front and ids[#ids] or ids[1]) .. ' ' .. lane)
  end
end

local function laneOf(r) return class(r) .. ':' .. r.prio end

-- enlist enters a task in a set by a time, and rings if that comes before all others.
local function enlist(name, at, id)
  call('ZADD', P .. name, at, id)
  if call('ZRANK', P .. name, id) == 0 then ring('D') end
end

-- claim takes the unique key of a task, if it has one. It returns the id of the task that
-- has it instead: until that is over or, if it holds the key for a time, as long as that.
local function claim(r)
  local name, timed = bound(r, UNIQUE), bound(r, UNIQUE_FOR)
  local key = P .. 'u:' .. (name or sub(timed or '', 7))
  if not name and not timed then return end
  local first = call('GET', key)
  if first and first ~= r.id then
    local other = head(first)
    if other and not OVER[other.state] or call('PTTL', key) > 0 then return first end
  end
  if timed then call('SET', key, r.id, 'PX', u48(timed, 1)) else call('SET', key, r.id) end
end

-- Blobs stay while tasks that are not over refer to them, and until a time. As long as any
-- does, `bl` holds how many those are, and the time; afterwards the blob expires then.
local BLOB_GRACE = 60000 -- ms: who is about to read it may

-- refer has n more (or less) tasks refer to a blob, and has it stay until a time at least.
local function refer(name, n, till)
  local many, before = string.match(call('HGET', P .. 'bl', name) or '', '^(%d+) (%d+)$')
  local key, t = P .. 'b:' .. name, now()
  if many then many, before = natural(many), natural(before) else many, before = 0, t + call('PTTL', key) end
  many, till = math.max(0, many + n), math.max(before, till)
  if many > 0 then
    call('HSET', P .. 'bl', name, many .. ' ' .. string.format('%.0f', till))
    if n > 0 then call('PERSIST', key) end
  else
    call('HDEL', P .. 'bl', name)
    call('PEXPIRE', key, math.max(till - t, BLOB_GRACE))
  end
end

-- blobOf is the name of the blob that is a task's payload, resultOf of the one that is the
-- result in outcome fields; nil if none is. lost reports whether one is not there any more.
local function blobOf(r)
  local s = bound(r, PAYLOAD)
  return s and sub(s, 1, 64) or nil
end
local function lost(name) return name and call('EXISTS', P .. 'b:' .. name) == 0 end
local function resultOf(outcome) return byte(outcome, 1) == RESULT and sub(outcome, 5, 68) or nil end

-- create writes the record of a new task, created at t (packed), which stands between what
-- comes before and after it; line puts all that were created into their lanes. create
-- returns true, or the id of the task that has its unique key, or '' if its payload is not there;
-- false if the id is taken.
local created, lanes = {}, {}
local function create(id, lane, before, t, after)
  local key, s = P .. 't:' .. id, before .. t .. after
  local state, prio, flags = byte(before, 2, 4)
  local r = flags >= BOUND and not head(id) and parse(id, key, s)
  local data = r and blobOf(r)
  if data and lost(data) then return '' end
  local first = r and claim(r)
  if first then return first end
  -- What is there already may be no task: then it has given way.
  if not call('SET', key, s, 'NX') and (head(id) or not call('SET', key, s, 'NX')) then return false end
  if data then refer(data, 1, 0) end
  local deadline = r and ms(r, DEADLINE)
  if deadline then enlist('dl', deadline, id) end
  if state == LATER then
    enlist('delay', u48(after, 7), id)
    return true
  end
  count(prio, 1)
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
  count(r.prio, 1)
  push(laneOf(r), { r.id }, true)
end

-- freed tells the foreman that there is room again, if anything waits for it.
local function freed()
  if call('SCARD', P .. 'act') > 0 then ring('F') end
end

local function kill(r)
  hint(P .. 'db:' .. unpad(r.owner), 'K' .. r.attempt .. ' ' .. r.id)
end

-- address is the inbox of who enqueued a task, nil if that one does not wait.
local function address(r) return has(r.flags, ADDRESSED) and unpad(sub(r.fields, -NAME)) or nil end

-- waiters are the inboxes of all who wait for a task.
local function waiters(r)
  local all = has(r.flags, WAITED) and call('SMEMBERS', P .. 'wait:' .. r.id) or {}
  all[#all + 1] = address(r)
  return all
end

-- kept is for how long a task is kept once it is over, in ms: as it asks, or else ttl.
local function kept(r, ttl) return ms(r, RETAIN) or ttl end

-- unbind ends what a task is bound by, as it is over. Returns for how long it is kept, if
-- that has begun.
local function unbind(r, ttl)
  local key = bound(r, UNIQUE)
  if key and call('GET', P .. 'u:' .. key) == r.id then call('DEL', P .. 'u:' .. key) end
  local data = blobOf(r)
  if data then refer(data, -1, 0) end
  call('ZREM', P .. 'dl', r.id)
  return ttl == '0' and ttl or kept(r, ttl)
end

-- finish writes a terminal record and tells all who wait for it. a and b are what
-- follows the task fields; ttl is in ms ('0': it keeps none).
local function finish(r, state, ttl, a, b)
  local inboxes, waited = nil, false
  if r.flags > 0 then
    inboxes, waited = waiters(r), has(r.flags, WAITED)
    if has(r.flags, ADDRESSED) then r.fields, r.tlen = sub(r.fields, 1, -ADDRESS - 1), r.tlen - ADDRESS end
    clear(r, ADDRESSED)
    clear(r, WAITED)
    if r.flags >= BOUND then ttl = unbind(r, ttl) end
  end
  r.state = state
  local s = record(r, r.fields, a, b)
  if ttl == '0' then call('SET', r.key, s) else call('SET', r.key, s, 'PX', ttl) end
  if not inboxes then return end
  local item = 'T' .. r.id .. (#s <= INLINE and '\n' .. s or '')
  for _, inbox in ipairs(inboxes) do post(inbox, item) end
  if waited then call('DEL', P .. 'wait:' .. r.id) end
end

-- complete makes a record completed at t, packed. Its payload goes.
local function complete(r, outcome, result, t, ttl)
  r.ended, r.plen, r.olen = t, 0, #outcome
  finish(r, 'c', ttl, outcome, result)
  if byte(outcome, 1) == RESULT then
    refer(resultOf(outcome), 0, now() + kept(r, ttl) + BLOB_GRACE) -- who reads the record last finds it
  end
  count('completed', 1)
end

-- vanish tells who waits for a task that its record was moved aside.
local function vanish(r)
  for _, inbox in ipairs(waiters(r)) do post(inbox, 'T' .. r.id) end
  call('DEL', P .. 'wait:' .. r.id)
end

-- bury makes a record failed: the dead-letter list. Its payload stays, for a
-- retry by hand.
local function bury(r, outcome, t, ttl)
  local body = payload(r)
  if not body then return vanish(r) end
  r.ended, r.olen = p48(t), #outcome
  finish(r, 'f', has(r.flags, QUEUED) and '0' or ttl, body, outcome)
  local name = blobOf(r)
  if name then refer(name, 0, t + kept(r, ttl)) end -- for a retry by hand, too
  call('ZADD', P .. 'dead', t + kept(r, ttl), r.id)
  call('ZREMRANGEBYSCORE', P .. 'dead', '-inf', t)
  count('failed', 1)
end

-- lapse makes a task that waits failed, as its deadline is over.
local function lapse(r, t, ttl)
  if r.state == 'p' then count(r.prio, -1) else call('ZREM', P .. 'delay', r.id) end
  local why = 'deadline' .. char(0) .. '1its deadline passed while it waited'
  bury(r, char(65) .. sub(p32(#why), 2) .. why, t, ttl)
end

-- buried lets a tombstone that stands in no queue any more expire.
local function buried(r, t, ttl)
  clear(r, QUEUED)
  put(r)
  local stays = math.max(kept(r, ttl) - (t - u48(r.ended, 1)), 60000)
  call('PEXPIRE', r.key, stays)
  if r.state == 'f' then call('ZADD', P .. 'dead', t + stays, r.id) end
end

-- drop removes an id that came out of a spore's queue but is not pending: a
-- tombstone, which from now on expires, or an id whose record is gone.
local function drop(spore, id, r, t, ttl)
  left(spore, r and class(r), 1)
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
    if r and r.state == 'p' then push(laneOf(r), { id }, true) end -- before it leaves: it may not be let
    call('RPOP', queue)
    if r and r.state == 'p' then left(spore, class(r), 1) else drop(spore, id, r, t, ttl) end
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
      left(spore, r and class(r), call('SREM', P .. 'own:' .. spore, id))
    else
      leave(r)
      if outcome then r.failures = r.failures + 1 end
      if outcome and r.failures > r.retries then bury(r, outcome, t, ttl) else requeue(r) end
    end
  end
  settle() -- who calls may look at what is left
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
