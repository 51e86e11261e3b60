// Calls everything there is, and answers what it was answered.
#include "hive.h"

#define S HIVE_STR

// print appends text to the result, without a libc.
static void print(hive_str s) { hive_output(s); }

static void number(hive_mem *mem, int64_t n) {
  uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
  char *end = (char *)hive_alloc(mem, 20) + 20, *at = end;
  do
    *--at = (char)('0' + rest % 10);
  while (rest /= 10);
  if (n < 0)
    *--at = '-';
  print((hive_str){at, (size_t)(end - at)});
}

// told begins a line, and ends it with the error's name if there is one.
static int told(hive_mem *mem, hive_str name, int code) {
  print(name);
  print(S(" "));
  if (code >= 0)
    return 1;
  hive_str why = code == HIVE_UNAVAILABLE ? hive_reason(mem) : HIVE_NONE;
  print(hive_error(code));
  if (why.size > 0)
    print(S(": "));
  print(why);
  print(S("\n"));
  return 0;
}

static void say(hive_mem *mem, hive_str name, int code, hive_str value) {
  if (told(mem, name, code)) {
    print(value);
    print(S("\n"));
  }
}

static void done(hive_mem *mem, hive_str name, int code) { say(mem, name, code, S("done")); }

static void say_number(hive_mem *mem, hive_str name, int code, int64_t n) {
  if (told(mem, name, code)) {
    number(mem, n);
    print(S("\n"));
  }
}

static void say_names(hive_mem *mem, hive_str name, int code, hive_str names) {
  hive_str line;
  if (!told(mem, name, code))
    return;
  for (int first = 1; hive_line(&names, &line); first = 0) {
    print(first ? S("") : S(","));
    print(line);
  }
  print(S("\n"));
}

static int tasks(hive_mem *mem) {
  hive_str json, tags, name, value;
  int code = hive_task(mem, &json);
  if (code < 0)
    return code;
  print(S("task"));
  hive_str fields[] = {S("id"), S("attempt"), S("skill"), S("digest"), S("deadline"), S("spore")};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    print(S(" "));
    print(hive_json_text(mem, hive_json_get(json, fields[i])));
  }
  print(S("\n"));
  tags = hive_json_get(json, S("tags"));
  while (hive_json_member(&tags, &name, &value)) {
    print(S("tag "));
    print(hive_json_text(mem, name));
    print(S(" "));
    print(hive_json_text(mem, value));
    print(S("\n"));
  }
  return 0;
}

static void keys(hive_mem *mem) {
  hive_str value, key;
  int64_t now;
  int code;
  done(mem, S("kv_set"), hive_kv_set(S("totals"), S("a"), S("one"), 60));
  done(mem, S("kv_set"), hive_kv_set(HIVE_NONE, S(""), S("nothing"), 0));
  code = hive_kv_get(mem, S("totals"), S("a"), &value);
  say(mem, S("kv_get"), code, value);
  code = hive_kv_get(mem, HIVE_NONE, S("missing"), &value);
  say(mem, S("kv_get"), code, value);
  done(mem, S("kv_delete"), hive_kv_delete(HIVE_NONE, S("a")));
  code = hive_kv_incr(HIVE_NONE, S("n"), -5000000000, &now);
  say_number(mem, S("kv_incr"), code, now);
  code = hive_kv_cas(HIVE_NONE, S("a"), S("old"), S("new"));
  say_number(mem, S("kv_cas"), code, code);
  code = hive_kv_cas(HIVE_NONE, S("a"), HIVE_NONE, S("new"));
  say_number(mem, S("kv_cas"), code, code);
  code = hive_kv_cas(HIVE_NONE, S("a"), S("new"), HIVE_NONE);
  say_number(mem, S("kv_cas"), code, code);
  code = hive_kv_list(mem, HIVE_NONE, S("p"), S("p1"), 2, &value);
  say_names(mem, S("kv_list"), code, value);
  hive_keys all = {HIVE_NONE, S("p"), HIVE_NONE, HIVE_NONE};
  print(S("kv_keys "));
  for (int first = 1; (code = hive_next_key(mem, &all, &key)) > 0; first = 0) {
    print(first ? S("") : S(","));
    print(key);
  }
  print(code < 0 ? hive_error(code) : S(""));
  print(S("\n"));
}

static void requests(hive_mem *mem) {
  hive_response r;
  hive_header headers[] = {{S("content-type"), S("text/plain")}, {S("x-bee"), S("1")}};
  int code = hive_http(mem, S("POST"), S("https://example.com/v1"), headers, 2, S("honey"), &r);
  if (told(mem, S("http"), code)) {
    hive_str none = hive_response_header(&r, S("x-none"));
    number(mem, r.status);
    print(S(" "));
    print(hive_response_header(&r, S("content-type")));
    print(S(" "));
    print(none.at ? none : S("none"));
    print(S(" "));
    print(r.body);
    print(S("\n"));
  }
  hive_str urls[] = {S("https://empty.example"), S("https://denied.example"), S("https://down.example"),
                     S("https://example.com\nhost: a")};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    code = hive_http(mem, S("GET"), urls[i], 0, 0, HIVE_NONE, &r);
    if (!told(mem, S("http"), code))
      continue;
    hive_str line;
    int64_t lines = 0;
    for (hive_str rest = r.headers; hive_line(&rest, &line);)
      lines++;
    number(mem, r.status);
    print(S(" "));
    number(mem, lines);
    print(S(" "));
    number(mem, (int64_t)r.body.size);
    print(S("\n"));
  }
}

static void others(hive_mem *mem) {
  hive_str value;
  int64_t now;
  int code;
  code = hive_secret(mem, S("TOKEN"), &value);
  say(mem, S("secret"), code, value);
  code = hive_secret(mem, S("MISSING"), &value);
  say(mem, S("secret"), code, value);
  code = hive_file_read(mem, S("models/a.txt"), (int64_t)1 << 32, 8, &value);
  say(mem, S("file_read"), code, value);
  code = hive_file(mem, S("models/b.txt"), &value);
  say(mem, S("file"), code, value);
  code = hive_file_list(mem, S("models"), &value);
  say_names(mem, S("file_list"), code, value);
  code = hive_clock(&now);
  say_number(mem, S("clock"), code, now);
  unsigned char random[4];
  code = hive_random(random, sizeof random);
  if (told(mem, S("random"), code)) {
    for (size_t i = 0; i < sizeof random; i++) {
      print(i > 0 ? S(",") : S(""));
      number(mem, random[i]);
    }
    print(S("\n"));
  }
}

// big asks for more than the host gives at once.
static int big(hive_mem *mem) {
  hive_str content;
  enum { count = 100000 };
  unsigned char *random = hive_alloc(mem, count);
  int code = hive_file(mem, S("models/big.bin"), &content);
  if (code < 0 || (code = hive_random(random, count)) < 0)
    return code;
  number(mem, (int64_t)content.size);
  print(S(" "));
  number(mem, (unsigned char)content.at[content.size - 1]);
  print(S(" "));
  number(mem, random[count - 1]);
  return 0;
}

static int run(hive_str input, hive_mem *mem) {
  hive_str value;
  if (hive_equal(input, S("fail")))
    return hive_fail(S("not yet"));
  if (hive_equal(input, S("fail for good")))
    return hive_fail_permanently(S("never"));
  if (hive_equal(input, S("fail until later")))
    return hive_fail_after(S("busy"), 90);
  if (hive_equal(input, S("panic")))
    hive_die(S("the kitchen is on fire"));
  if (hive_equal(input, S("error")))
    return hive_secret(mem, S("MISSING"), &value);
  if (hive_equal(input, S("big")))
    return big(mem);
#ifdef HIVE_LIBC
  if (hive_equal(input, S("chance")))
    return hive_output(hive_format(mem, "%d%d%d", rand(), rand(), rand()));
#endif
  print(S("input "));
  print(input);
  print(S("\n"));
  int code = tasks(mem);
  if (code < 0)
    return code;
  done(mem, S("log"), hive_log(HIVE_WARN, S("zażółć")));
  keys(mem);
  code = hive_spawn(mem, S("summarize@1.2.0"), S("text"), &value);
  say(mem, S("spawn"), code, value);
  code = hive_spawn(mem, S("other"), HIVE_NONE, &value);
  say(mem, S("spawn"), code, value);
  done(mem, S("emit"), hive_emit(S("part")));
  done(mem, S("emit"), hive_emit(S("too much")));
  done(mem, S("progress"), hive_progress(1, 3, S("one of three")));
  requests(mem);
  others(mem);
  return 0;
}

HIVE_SKILL(run)
