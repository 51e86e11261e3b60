-- tellers: the registered spores that told something nobody heard yet.
local out = {}
for _, spore in ipairs(call('SMEMBERS', P .. 'nodes')) do
  if call('LLEN', P .. 'au:' .. spore) > 0 then out[#out + 1] = spore end
end
return out
