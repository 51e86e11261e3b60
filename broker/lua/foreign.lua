-- Joined in front of all else: how scripts call redis, and what they do about values
-- under our keys that none of ours wrote.
-- KEYS[1] is the prefix of all keys of the shard, with its hash tag: "{h}:".
local P = KEYS[1]
local raw, type, byte, char, sub = redis.pcall, type, string.byte, string.char, string.sub
local VERSION = '1' -- of records, and with them of the road
local ASIDE_TTL = 604800000 -- a week: time for somebody to look
local call

-- hint adds to a doorbell. Nothing depends on it: a foreign value that the caller may not
-- move aside takes what is told.
local aside
local function hint(key, item)
  local v = raw('RPUSH', key, item)
  if type(v) ~= 'table' then return v end
  if not string.find(v.err, 'WRONGTYPE', 1, true) or aside(key) then return redis.call('RPUSH', key, item) end
end
local function ring(what) hint(P .. 'bell', what) end

-- foreign counts something that none of ours wrote, and tells the foreman, who logs it.
local function foreign(what)
  call('HINCRBY', P .. 'ct', 'foreign', 1)
  ring('X' .. sub(what, 1, 300))
end

-- aside moves a foreign value out of the way, to "odd:" and its name, for somebody to
-- look at. Renaming is allowed even when redis is out of memory. It is nil where the
-- caller's ACL does not let it.
aside = function(key)
  local name = sub(key, #P + 1)
  if raw('RENAME', key, P .. 'odd:' .. name).err then return end
  call('PEXPIRE', P .. 'odd:' .. name, ASIDE_TTL)
  foreign('moved aside to odd:' .. name)
  return true
end

-- call is redis.call, but a value of another type than the command's is moved aside
-- first, and so is a number that is none, or thrown away where it is a counter among
-- others: no script stops halfway.
call = function(...)
  local v = raw(...)
  if type(v) ~= 'table' or not v.err then return v end
  local cmd, key, field = ...
  local uncountable = string.find(v.err, 'integer', 1, true) or string.find(v.err, 'overflow', 1, true)
  if string.find(v.err, 'WRONGTYPE', 1, true) or uncountable and cmd == 'INCRBY' then
    aside(key)
  elseif uncountable and cmd == 'HINCRBY' then
    redis.call('HDEL', key, field)
    foreign('no number: ' .. field .. ' of ' .. sub(key, #P + 1))
  end
  return redis.call(...)
end

-- format is the version of the road's records, nil where nobody wrote it yet.
local function format()
  local version = call('GETRANGE', P .. 'fmt', 0, 3)
  return string.match(version, '^%d%d?%d?$')
end

-- entrance lets in who speaks of records as the road does. Returns an error for others.
local function entrance()
  local version = format()
  if version and version ~= VERSION then return redis.error_reply('HIVEFORMAT ' .. version .. ' ' .. VERSION) end
end
