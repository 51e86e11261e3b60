-- release: running -> pending and assigned -> pending, at the head of the lane
-- and at no cost: the spore hands back what it will not finish.
-- ARGV: spore, retention ms, most ids of its queue to hand back, then per running
--       task: id, attempt
-- Returns how many tasks were handed back.
local n = unqueue(ARGV[1], now(), tonumber(ARGV[2]), tonumber(ARGV[3]))
for i = 4, #ARGV, 2 do
  local r = head(ARGV[i])
  if r and r.attempt == tonumber(ARGV[i + 1]) and holds(r, ARGV[1]) then
    leave(r)
    requeue(r)
    n = n + 1
  end
end
if n > 0 then freed() end
return n
