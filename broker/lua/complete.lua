-- complete: running -> completed, if the attempt still holds the task. One with
-- effects goes through commit.
-- ARGV: retention ms, then per task: spore, id, attempt, outcome fields, result
-- Returns per task: 1 done, 0 already completed by this attempt, -1 fenced, 2 the blob is gone
-- that is its result.
local t, ttl, out, free = p48(now()), ARGV[1], {}, false
for i = 2, #ARGV, 5 do
  local r, attempt, verdict = head(ARGV[i + 1]), tonumber(ARGV[i + 2]), -1
  if r and r.attempt == attempt and r.state == 'c' then
    verdict = 0
  elseif r and r.attempt == attempt and holds(r, ARGV[i]) then
    if byte(ARGV[i + 3], 1) == RESULT and lost(resultOf(ARGV[i + 3])) then
      verdict = 2
    else
      leave(r)
      complete(r, ARGV[i + 3], ARGV[i + 4], t, ttl)
      verdict, free = 1, true
    end
  end
  out[#out + 1] = verdict
end
if free then freed() end
return out
