-- enqueue: new -> pending, or -> scheduled if the record says so. Ids already there count
-- as success.
-- ARGV: per task: id, lane, record before and after when it was created
-- Returns how many tasks are new or, where another task has the unique key of one, of each
-- such one its id and the other's; '' in place of that where its payload is not there.
local refused = entrance()
if refused then return refused end
local t, new, out = p48(now()), 0, {}
for i = 1, #ARGV, 4 do
  local first = create(ARGV[i], ARGV[i + 1], ARGV[i + 2], t, ARGV[i + 3])
  if first == true then
    new = new + 1
  elseif first then
    out[#out + 1] = ARGV[i]
    out[#out + 1] = first
  end
end
line()
return #out > 0 and out or new
