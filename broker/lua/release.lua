-- release: running -> pending and assigned -> pending, at the head of the lane
-- and at no cost: the spore hands back what it will not finish.
-- ARGV: spore, incarnation ('': any; an attempt is its own fence, a queue has none),
--       retention ms, most ids of its queue to hand back, then per running task:
--       id, attempt
-- Returns how many tasks were handed back, or -1 if another incarnation is
-- registered, or none.
local refused = entrance()
if refused then return refused end
if ARGV[2] ~= '' and call('HGET', P .. 'hb:' .. ARGV[1], 'inc') ~= ARGV[2] then return -1 end
local n = unqueue(ARGV[1], now(), ARGV[3], tonumber(ARGV[4]))
for i = 5, #ARGV, 2 do
  local r = head(ARGV[i])
  if r and r.attempt == tonumber(ARGV[i + 1]) and holds(r, ARGV[1]) then
    leave(r)
    requeue(r)
    n = n + 1
  end
end
if n > 0 then freed() end
return n
