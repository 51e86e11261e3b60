-- Joined in front of all else: how scripts call redis, and what they do about values
-- under our keys that none of ours wrote.
-- KEYS[1] is the prefix of all keys of the shard, with its hash tag: "{h}:".
local P = KEYS[1]
local raw, byte, char, sub = redis.pcall, string.byte, string.char, string.sub
local VERSION = '1' -- of records, and with them of the road
local ASIDE_TTL = 604800000 -- a week: time for somebody to look
local call

-- foreign counts something that none of ours wrote, and tells the foreman, who logs it.
local function foreign(what)
  call('HINCRBY', P .. 'ct', 'foreign', 1)
  call('RPUSH', P .. 'bell', 'X' .. sub(what, 1, 300))
end

-- aside moves a foreign value out of the way, to "odd:" and its name, for somebody to
-- look at. Renaming is allowed even when redis is out of memory.
local function aside(key)
  local name = sub(key, #P + 1)
  redis.call('RENAME', key, P .. 'odd:' .. name)
  redis.call('PEXPIRE', P .. 'odd:' .. name, ASIDE_TTL)
  foreign('moved aside to odd:' .. name)
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

-- entrance lets in who speaks of records as the road does; the first one decides.
-- Returns an error for the others.
local function entrance()
  local version = call('GET', P .. 'fmt')
  if version == VERSION then return end
  if version and string.find(version, '^%d%d?%d?$') then return redis.error_reply('HIVEFORMAT ' .. version .. ' ' .. VERSION) end
  call('SET', P .. 'fmt', VERSION)
end
