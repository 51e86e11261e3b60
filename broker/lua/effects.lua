-- What commit does with effects; joined between prelude and commit.
local SUM = 9007199254740992 -- 2^53: up to it a number of Lua is exact

-- effects cuts a packed list: docs/redis-keys.md draws it. nil: of another version.
local function effects(s)
  if sub(s, 1, 1) ~= '1' then return nil end
  local list, i = {}, 2
  local function text(n) i = i + n; return sub(s, i - n, i - 1) end
  while i <= #s do
    local e = { op = text(1) }
    e.space = text(u16(text(2), 1))
    e.name = text(u16(text(2), 1))
    e.ttl = u48(text(6), 1)
    e.value = text(u32(text(4), 1))
    e.key = P .. 'kv:' .. e.space .. ':' .. e.name
    list[#list + 1] = e
  end
  return list
end

-- decimal reads what INCRBY can add to, nil if s is not that.
local function decimal(s)
  local n = tonumber(s)
  if n and n >= -SUM and n <= SUM and s ~= '-0' and string.format('%.0f', n) == s then return n end
end

-- judge compares a list with what the keys hold, and writes nothing: 1 it can be
-- done, -2 a key is not as expected, -3 - i effect i (from 0) cannot be added. The
-- keys that the list itself sets, deletes or adds to are taken as it leaves them.
local function judge(list)
  local left, verdict = {}, 1
  for i, e in ipairs(list) do
    local held = (e.op == 'E' or e.op == 'N' or e.op == 'A') and call('GET', e.key)
    if e.op == 'E' and held ~= e.value or e.op == 'N' and held then return -2 end
    if e.op == 'S' then left[e.key] = e.value elseif e.op == 'D' then left[e.key] = false end
    if e.op == 'A' then
      if left[e.key] ~= nil then held = left[e.key] end
      local n, d = decimal(held or '0'), decimal(e.value)
      local fits = n and d and n <= SUM - math.max(d, 0) and n >= -SUM - math.min(d, 0)
      if fits then left[e.key] = string.format('%.0f', n + d) elseif verdict == 1 then verdict = -2 - i end
    end
  end
  return verdict
end

-- apply does a list, in order. The index of a space has every key that holds a
-- value, and some whose value expired: those are in `kx`, by when.
local function apply(list, t)
  for _, e in ipairs(list) do
    if e.op == 'T' then create(e.space, e.name, sub(e.value, 1, 12), p48(t), sub(e.value, 19)) end
    if e.op == 'D' then call('DEL', e.key); call('ZREM', P .. 'ki:' .. e.space, e.name) end
    if e.op == 'A' then call('INCRBY', e.key, e.value) end
    if e.op == 'S' and e.ttl == 0 then call('SET', e.key, e.value) end
    if e.op == 'S' and e.ttl > 0 then
      call('SET', e.key, e.value, 'PX', e.ttl)
      call('ZADD', P .. 'kx', t + e.ttl, e.space .. ':' .. e.name)
    end
    if e.op == 'S' or e.op == 'A' then call('ZADD', P .. 'ki:' .. e.space, 0, e.name) end
  end
end
