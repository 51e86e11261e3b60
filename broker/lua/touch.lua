-- touch: does to a value what only a value of its type bears, so that a foreign one is
-- moved aside.
-- ARGV: command, key without the prefix, arguments...
call(ARGV[1], P .. ARGV[2], unpack(ARGV, 3))
return 1
