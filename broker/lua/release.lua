-- release: running -> pending, at the head of its lane and at no cost: the spore
-- hands back what it will not finish.
-- ARGV: spore, then per task: id, attempt
-- Returns how many tasks were handed back.
local n = 0
for i = 2, #ARGV, 2 do
  local r = head(ARGV[i])
  if r and r.attempt == tonumber(ARGV[i + 1]) and holds(r, ARGV[1]) then
    leave(r)
    requeue(r)
    n = n + 1
  end
end
if n > 0 then freed() end
return n
