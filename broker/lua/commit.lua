-- commit: running -> completed together with the attempt's effects, if it still
-- holds the task, all keys are as it expects, and all its numbers can be added.
-- On a conflict the task goes on running in its place, as the next attempt: its
-- flag tells a repeat of this call from another attempt's. A list of effects is all
-- done or not begun: it is judged first, and once redis let a script write, it lets
-- it write all.
-- ARGV: retention ms, then per task: spore, id, attempt, effects, outcome fields,
--       result
-- Returns per task: 1 done, 0 already completed by this attempt, -1 fenced, 2 the blob is gone
-- that is its result, -2 conflict, -3 - i if effect i (from 0) adds to what is no number, or
-- too much.
local t, ttl, lists, out, free = now(), ARGV[1], {}, {}, false
for i = 2, #ARGV, 6 do
  lists[i] = effects(ARGV[i + 3])
  if not lists[i] then return redis.error_reply('ERR effects of an unknown version') end
end

-- begin asks for memory if any of the lists may need it.
local begun = false
local function begin()
  if begun then return end
  begun = true
  for _, list in pairs(lists) do
    for _, e in ipairs(list) do
      if e.op == 'S' or e.op == 'A' or e.op == 'T' then return room() end
    end
  end
  allowed()
end

for i = 2, #ARGV, 6 do
  local r, attempt, verdict = head(ARGV[i + 1]), tonumber(ARGV[i + 2]), -1
  if r and r.attempt == attempt and r.state == 'c' then
    verdict = 0
  elseif r and r.attempt == attempt + 1 and holds(r, ARGV[i]) and has(r.flags, CONFLICTED) then
    verdict = -2
  elseif r and r.attempt == attempt and holds(r, ARGV[i]) then
    verdict = lost(resultOf(ARGV[i + 4])) and 2 or judge(lists[i])
  end
  if verdict == 1 then
    begin()
    apply(lists[i], t)
    leave(r)
    complete(r, ARGV[i + 4], ARGV[i + 5], p48(t), ttl)
    free = true
  elseif verdict == -2 and r.attempt == attempt then
    begin()
    clear(r, CONFLICTED)
    r.attempt, r.times, r.flags = attempt + 1, sub(r.times, 1, 6) .. p48(t), r.flags + CONFLICTED
    put(r)
  end
  out[#out + 1] = verdict
end
line()
if begun then sweep(t) end
if free then freed() end
return out
