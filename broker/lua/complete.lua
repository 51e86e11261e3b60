-- complete: running -> completed, if the attempt still holds the task.
-- ARGV: retention ms, then per task: spore, id, attempt, effects, outcome
--       fields, result. Effects begin with their version, '1'; none follow yet.
-- Returns per task: 1 done, 0 already completed by this attempt, -1 fenced.
for i = 2, #ARGV, 6 do
  if ARGV[i + 3] ~= '1' then return redis.error_reply('ERR effects of an unknown version') end
end
local t, ttl, out, free = now(), tonumber(ARGV[1]), {}, false
for i = 2, #ARGV, 6 do
  local r, attempt, verdict = head(ARGV[i + 1]), tonumber(ARGV[i + 2]), -1
  if r and r.attempt == attempt and r.state == 'c' then
    verdict = 0
  elseif r and r.attempt == attempt and holds(r, ARGV[i]) then
    leave(r)
    r.ended, r.plen, r.olen = t, 0, #ARGV[i + 4]
    finish(r, 'c', ARGV[i + 4] .. ARGV[i + 5], ttl)
    count('completed', 1)
    verdict, free = 1, true
  end
  out[#out + 1] = verdict
end
if free then freed() end
return out
