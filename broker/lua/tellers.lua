-- tellers: the registered spores that told something nobody heard yet. What is no
-- list, of whatever type, counts as none.
local out = {}
for _, spore in ipairs(call('SMEMBERS', P .. 'nodes')) do
  local n = redis.pcall('LLEN', P .. 'au:' .. spore)
  if type(n) == 'number' and n > 0 then out[#out + 1] = spore end
end
return out
