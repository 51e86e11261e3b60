// What a skill of the Hive asks of its host, by the names of docs/abi.md.
//
//   #include "hive.h"
//
//   static int run(hive_str input, hive_mem *mem) {
//     if (input.size == 0)
//       return hive_fail_permanently(HIVE_STR("nothing to do"));
//     return hive_output(input);
//   }
//
//   HIVE_SKILL(run)
//
// run is called once for each attempt. It completes by returning 0. It fails by
// returning what hive_fail or hive_fail_permanently returned, or any error of the
// host: a negative number, which is then named. A module imports what its skill
// calls; everything but input, output, failures and hive_task needs a grant in
// skill.toml. A space is the name of keys that skills share; HIVE_NONE is the
// skill's own.
//
// Memory comes from a hive_mem and is never freed: all of it is gone with the
// attempt. A program that has no more of it ends there, and says so. So do not
// check for it, and do not keep a hive_mem in a static variable.
//
// All attempts begin with the same memory, that of a program which has started
// and was warmed up. So what is kept in static variables, a seed for one, is the
// same in each. HIVE_SKILL seeds rand() anew. drand48() and random() it does not.
//
// Built with --target=wasm32-wasi it uses wasi-libc: malloc, srand and, for
// hive_format, vsnprintf. With HIVE_NO_LIBC, or another target, it uses nothing:
// clang --target=wasm32 -nostdlib -fno-builtin -O2 -Wl,--no-entry
#ifndef HIVE_H
#define HIVE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__wasi__) && !defined(HIVE_NO_LIBC)
#define HIVE_LIBC
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int getentropy(void *to, size_t size); // of unistd.h, which strict modes of C lack it in
#endif

// A function of module hive. Its parameters are those of docs/abi.md.
#define HIVE_HOST(name) __attribute__((import_module("hive"), import_name(#name))) extern
#define HIVE_BYTES(x) const char *x, size_t x##_size

HIVE_HOST(input_read) int hive_host_input_read(void *to, size_t size, size_t offset);
HIVE_HOST(output_write) int hive_host_output_write(HIVE_BYTES(from));
HIVE_HOST(fail) void hive_host_fail(HIVE_BYTES(why), unsigned flags);
HIVE_HOST(answer_read) int hive_host_answer_read(void *to, size_t size, size_t offset);
HIVE_HOST(task) int hive_host_task(void);
HIVE_HOST(log) int hive_host_log(unsigned level, HIVE_BYTES(text));
HIVE_HOST(kv_get) int hive_host_kv_get(HIVE_BYTES(space), HIVE_BYTES(key));
HIVE_HOST(kv_set) int hive_host_kv_set(HIVE_BYTES(space), HIVE_BYTES(key), HIVE_BYTES(value), unsigned ttl);
HIVE_HOST(kv_delete) int hive_host_kv_delete(HIVE_BYTES(space), HIVE_BYTES(key));
HIVE_HOST(kv_incr) int hive_host_kv_incr(HIVE_BYTES(space), HIVE_BYTES(key), int64_t delta);
HIVE_HOST(kv_cas) int hive_host_kv_cas(HIVE_BYTES(space), HIVE_BYTES(key), HIVE_BYTES(old), HIVE_BYTES(value), unsigned flags);
HIVE_HOST(kv_list) int hive_host_kv_list(HIVE_BYTES(space), HIVE_BYTES(prefix), HIVE_BYTES(after), unsigned limit);
HIVE_HOST(spawn) int hive_host_spawn(HIVE_BYTES(skill), HIVE_BYTES(payload));
HIVE_HOST(emit) int hive_host_emit(HIVE_BYTES(part));
HIVE_HOST(progress) int hive_host_progress(unsigned done, unsigned total, HIVE_BYTES(text));
HIVE_HOST(http) int hive_host_http(HIVE_BYTES(head), HIVE_BYTES(body));
HIVE_HOST(secret) int hive_host_secret(HIVE_BYTES(name));
HIVE_HOST(file_read) int hive_host_file_read(HIVE_BYTES(path), int64_t offset, unsigned limit);
HIVE_HOST(file_list) int hive_host_file_list(HIVE_BYTES(path));
HIVE_HOST(clock) int hive_host_clock(void);
HIVE_HOST(random) int hive_host_random(void *to, size_t size);

// What functions answer instead of 0 or more.
enum {
  HIVE_RANGE = -1,
  HIVE_DENIED = -2,      // see grants and [allow] in skill.toml, and what the spore gives
  HIVE_INVALID = -3,     // an argument means nothing to the host
  HIVE_ABSENT = -4,      // there is no such key, secret, file or folder
  HIVE_FULL = -5,        // the attempt asked for too much
  HIVE_UNAVAILABLE = -6, // the host could not do it now; hive_reason says why
};

// hive_str is bytes. No zero is behind them.
typedef struct {
  const char *at; // 0: there are none, which is not the same as 0 bytes
  size_t size;
} hive_str;

#define HIVE_STR(literal) ((hive_str){"" literal, sizeof(literal) - 1})
#define HIVE_NONE ((hive_str){0, 0})

// hive_str_of returns the text that ends before a zero.
static inline hive_str hive_str_of(const char *text) {
  hive_str s = {text, 0};
  while (text && text[s.size])
    s.size++;
  return s;
}

static inline int hive_equal(hive_str a, hive_str b) {
  if (a.size != b.size)
    return 0;
  for (size_t i = 0; i < a.size; i++)
    if (a.at[i] != b.at[i])
      return 0;
  return 1;
}

// hive_cut takes what is before c from the front of rest, and c with it. It takes
// all, and returns 0, if there is no c.
static inline int hive_cut(hive_str *rest, char c, hive_str *before) {
  size_t n = 0;
  while (n < rest->size && rest->at[n] != c)
    n++;
  int found = n < rest->size;
  *before = (hive_str){rest->at, n};
  n += (size_t)found;
  *rest = (hive_str){rest->at + n, rest->size - n};
  return found;
}

// hive_line takes a line from the front of rest. It returns 0 if there is none.
static inline int hive_line(hive_str *rest, hive_str *line) {
  int any = rest->size > 0;
  hive_cut(rest, '\n', line);
  return any;
}

// Failures

// hive_fail says why run is about to fail. The task is tried again later.
static inline int hive_fail(hive_str why) {
  hive_host_fail(why.at, why.size, 0);
  return 1;
}

// hive_fail_after says so, too, and that the next attempt is to wait for some seconds.
static inline int hive_fail_after(hive_str why, unsigned seconds) {
  hive_host_fail(why.at, why.size, (seconds < 0xffffff ? seconds : 0xffffff) << 8);
  return 1;
}

// hive_fail_permanently says that another attempt would only fail again.
static inline int hive_fail_permanently(hive_str why) {
  hive_host_fail(why.at, why.size, 1);
  return 1;
}

// hive_die ends the attempt here.
static inline _Noreturn void hive_die(hive_str why) {
  hive_fail(why);
  __builtin_trap();
}

// hive_error returns the name of an error.
static inline hive_str hive_error(int code) {
  switch (code) {
  case HIVE_RANGE:
    return HIVE_STR("range");
  case HIVE_DENIED:
    return HIVE_STR("denied");
  case HIVE_INVALID:
    return HIVE_STR("invalid");
  case HIVE_ABSENT:
    return HIVE_STR("absent");
  case HIVE_FULL:
    return HIVE_STR("full");
  case HIVE_UNAVAILABLE:
    return HIVE_STR("unavailable");
  }
  return HIVE_STR("unknown error");
}

// Memory

// hive_mem gives memory. A zero one takes it from where the target has it, one
// made by HIVE_MEM(ARRAY) from that array only.
typedef struct {
  char *at;
  size_t size; // bytes that are left at at
  int bounded;
} hive_mem;

#define HIVE_MEM(array) {(array), sizeof(array), 1}

// hive_sum adds sizes.
static inline size_t hive_sum(size_t a, size_t b) {
  size_t sum;
  if (__builtin_add_overflow(a, b, &sum))
    hive_die(HIVE_STR("out of memory"));
  return sum;
}

// hive_more gives mem at least size bytes more.
static inline void hive_more(hive_mem *mem, size_t size) {
  enum { page = 1 << 16 };
  size = hive_sum(size, page - 1) / page * page;
  if (mem->bounded)
    hive_die(HIVE_STR("the array of a hive_mem is full"));
#ifdef HIVE_LIBC
  mem->at = (char *)malloc(size);
  if (!mem->at)
    hive_die(HIVE_STR("out of memory"));
#else
  size_t at = __builtin_wasm_memory_grow(0, size / page);
  if (at == (size_t)-1)
    hive_die(HIVE_STR("out of memory"));
  mem->at = (char *)(at * page);
#endif
  mem->size = size;
}

// hive_alloc returns size bytes that nobody else has, for any type. What they hold
// is not defined.
static inline void *hive_alloc(hive_mem *mem, size_t size) {
  enum { align = 16 };
  size_t skip = -(size_t)mem->at % align;
  size_t whole = hive_sum(size, skip);
  if (!mem->at || whole > mem->size) {
    hive_more(mem, hive_sum(size, align));
    skip = -(size_t)mem->at % align;
    whole = size + skip;
  }
  char *p = mem->at + skip;
  mem->at += whole;
  mem->size -= whole;
  return p;
}

static inline char *hive_copy(char *to, hive_str from) {
  for (size_t i = 0; i < from.size; i++)
    to[i] = from.at[i];
  return to + from.size;
}

// hive_text returns a copy that a zero is behind, as C functions want it.
static inline char *hive_text(hive_mem *mem, hive_str s) {
  char *copy = (char *)hive_alloc(mem, hive_sum(s.size, 1));
  *hive_copy(copy, s) = 0;
  return copy;
}

#ifdef HIVE_LIBC
// hive_format returns what printf would print.
__attribute__((format(printf, 2, 3))) static inline hive_str hive_format(hive_mem *mem, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(0, 0, format, args);
  size_t size = n < 0 ? 0 : (size_t)n;
  char *text = (char *)hive_alloc(mem, hive_sum(size, 1));
  vsnprintf(text, size + 1, format, again);
  va_end(again);
  va_end(args);
  return (hive_str){text, size};
}

// hive_reseed seeds rand() with what is live. HIVE_SKILL does so for each attempt.
static inline void hive_reseed(void) {
  unsigned seed = 0;
  if (getentropy(&seed, sizeof seed) != 0)
    hive_die(HIVE_STR("no random bytes"));
  srand(seed);
}
#endif

// Input and output

// hive_input returns the payload of size bytes.
static inline hive_str hive_input(hive_mem *mem, size_t size) {
  char *to = (char *)hive_alloc(mem, size);
  int n = hive_host_input_read(to, size, 0);
  return (hive_str){to, n < 0 ? 0 : (size_t)n};
}

// hive_output appends to the result.
static inline int hive_output(hive_str bytes) { return hive_host_output_write(bytes.at, bytes.size); }

// hive_serve is what HIVE_SKILL expands to: it calls run and answers for it.
static inline int hive_serve(size_t size, int (*run)(hive_str input, hive_mem *mem)) {
  hive_mem mem = {0};
#ifdef HIVE_LIBC
  hive_reseed();
#endif
  int code = run(hive_input(&mem, size), &mem);
  if (code >= 0)
    return code;
  char reason[2048];
  int n = code == HIVE_UNAVAILABLE ? hive_host_answer_read(reason, sizeof reason, 0) : 0;
  if (n > 0)
    return hive_fail((hive_str){reason, (size_t)n});
  return hive_fail(hive_error(code));
}

// HIVE_SKILL makes int run(hive_str input, hive_mem *mem) the skill. Without it, a
// skill has an int hive_run(int size) of its own, exported in the same way.
#define HIVE_SKILL(run)                                                                                                \
  __attribute__((export_name("hive_run"))) int hive_run(int size);                                                     \
  int hive_run(int size) { return hive_serve((size_t)size, run); }

// Answers

// hive_answer puts the n bytes that the last call answered into *answer. An error
// is left as it is.
static inline int hive_answer(hive_mem *mem, int n, hive_str *answer) {
  *answer = HIVE_NONE;
  if (n < 0)
    return n;
  char *to = (char *)hive_alloc(mem, (size_t)n);
  int got = hive_host_answer_read(to, (size_t)n, 0);
  if (got < 0)
    return got;
  *answer = (hive_str){to, (size_t)got};
  return 0;
}

// hive_reason returns why the last call was HIVE_UNAVAILABLE, or http HIVE_DENIED.
static inline hive_str hive_reason(hive_mem *mem) {
  hive_str why;
  hive_answer(mem, 2048, &why);
  return why;
}

// hive_number puts the number that the last call answered into *number.
static inline int hive_number(int n, int64_t *number) {
  *number = 0;
  if (n < 0)
    return n;
  int got = hive_host_answer_read(number, sizeof *number, 0); // WebAssembly is little-endian as well
  return got < 0 ? got : got == sizeof *number ? 0 : HIVE_INVALID;
}

// The task

// hive_task gives a JSON object: id, attempt, skill, digest, deadline, spore and
// tags. In the warm-up call it is nothing that matters.
static inline int hive_task(hive_mem *mem, hive_str *json) { return hive_answer(mem, hive_host_task(), json); }

// The log

enum { HIVE_DEBUG, HIVE_INFO, HIVE_WARN, HIVE_ERROR };

// hive_log adds an entry of at most 4 KiB to the log. That it was denied is seldom
// worth a look.
static inline int hive_log(int level, hive_str text) { return hive_host_log((unsigned)level, text.at, text.size); }

// Keys

static inline int hive_kv_get(hive_mem *mem, hive_str space, hive_str key, hive_str *value) {
  return hive_answer(mem, hive_host_kv_get(space.at, space.size, key.at, key.size), value);
}

// hive_kv_set sets a key to at most 64 KiB. After ttl seconds it is gone; 0: it
// stays.
static inline int hive_kv_set(hive_str space, hive_str key, hive_str value, unsigned ttl) {
  return hive_host_kv_set(space.at, space.size, key.at, key.size, value.at, value.size, ttl);
}

static inline int hive_kv_delete(hive_str space, hive_str key) {
  return hive_host_kv_delete(space.at, space.size, key.at, key.size);
}

// hive_kv_incr adds to the number that a key holds, 0 if there is none, and tells
// what it would be now.
static inline int hive_kv_incr(hive_str space, hive_str key, int64_t delta, int64_t *now) {
  return hive_number(hive_host_kv_incr(space.at, space.size, key.at, key.size, delta), now);
}

// hive_kv_cas sets a key to value if it holds old, and returns 1 if it did. An old
// of HIVE_NONE: the key must be absent; a value of HIVE_NONE: it is deleted.
static inline int hive_kv_cas(hive_str space, hive_str key, hive_str old, hive_str value) {
  enum { absent = 1, delete = 2 };
  unsigned flags = (old.at ? 0 : absent) | (value.at ? 0 : delete);
  return hive_host_kv_cas(space.at, space.size, key.at, key.size, old.at, old.size, value.at, value.size, flags);
}

// hive_kv_list gives at most limit keys, up to 1,000, that begin with prefix and
// come after after: lines, see hive_line.
static inline int hive_kv_list(hive_mem *mem, hive_str space, hive_str prefix, hive_str after, unsigned limit, hive_str *keys) {
  return hive_answer(mem,
                     hive_host_kv_list(space.at, space.size, prefix.at, prefix.size, after.at, after.size, limit),
                     keys);
}

// hive_keys steps through all keys that begin with prefix, one page after the
// other: hive_keys keys = {space, prefix}.
typedef struct {
  hive_str space, prefix, page, last;
} hive_keys;

// hive_next_key returns 1 and a key, 0 at the end, or an error.
static inline int hive_next_key(hive_mem *mem, hive_keys *keys, hive_str *key) {
  if (keys->page.size == 0) {
    int code = hive_kv_list(mem, keys->space, keys->prefix, keys->last, 1000, &keys->page);
    if (code < 0)
      return code;
  }
  if (!hive_line(&keys->page, key))
    return 0;
  keys->last = *key;
  return 1;
}

// Tasks, parts of the result, progress

// hive_spawn asks for a task of a skill, name or name@version, and gives its id. It
// is there when this attempt has completed.
static inline int hive_spawn(hive_mem *mem, hive_str skill, hive_str payload, hive_str *id) {
  return hive_answer(mem, hive_host_spawn(skill.at, skill.size, payload.at, payload.size), id);
}

// hive_emit gives a part of the result, at most 64 KiB, to who watches the task.
static inline int hive_emit(hive_str part) { return hive_host_emit(part.at, part.size); }

// hive_progress says how far the attempt is: done of total, 0 if nobody knows.
static inline int hive_progress(unsigned done, unsigned total, hive_str text) {
  return hive_host_progress(done, total, text.at, text.size);
}

// HTTP

typedef struct {
  hive_str name, value;
} hive_header;

// hive_response is the answer to a request, whatever its status. Its headers are
// lines, with their names in lower case.
typedef struct {
  int status;
  hive_str headers, body;
} hive_response;

// hive_has tells whether one of the bytes of any is in s.
static inline int hive_has(hive_str s, hive_str any) {
  for (size_t i = 0; i < s.size; i++)
    for (size_t j = 0; j < any.size; j++)
      if (s.at[i] == any.at[j])
        return 1;
  return 0;
}

// hive_parse_response takes an answer apart.
static inline int hive_parse_response(hive_str answer, hive_response *r) {
  hive_str line;
  if (!hive_line(&answer, &line) || line.size == 0)
    return HIVE_INVALID;
  for (size_t i = 0; i < line.size; i++) {
    if (line.at[i] < '0' || line.at[i] > '9' || r->status > 999)
      return HIVE_INVALID;
    r->status = r->status * 10 + (line.at[i] - '0');
  }
  r->headers = (hive_str){answer.at, 0};
  while (hive_line(&answer, &line) && line.size > 0)
    r->headers.size = (size_t)(answer.at - r->headers.at);
  r->body = answer;
  return 0;
}

// hive_http makes a request, each time that the task is tried.
static inline int hive_http(hive_mem *mem, hive_str method, hive_str url, const hive_header *headers, size_t count,
                            hive_str body, hive_response *r) {
  *r = (hive_response){0};
  int bad = hive_has(method, HIVE_STR(" \r\n")) || hive_has(url, HIVE_STR("\r\n"));
  size_t size = hive_sum(hive_sum(method.size, url.size), 2);
  for (size_t i = 0; i < count; i++) { // a line that would be two is no header
    bad = bad || hive_has(headers[i].name, HIVE_STR(":\r\n")) || hive_has(headers[i].value, HIVE_STR("\r\n"));
    size = hive_sum(size, hive_sum(hive_sum(headers[i].name.size, headers[i].value.size), 3));
  }
  if (bad)
    return HIVE_INVALID;
  char *head = (char *)hive_alloc(mem, size), *end = head;
  end = hive_copy(end, method);
  end = hive_copy(end, HIVE_STR(" "));
  end = hive_copy(end, url);
  end = hive_copy(end, HIVE_STR("\n"));
  for (size_t i = 0; i < count; i++) {
    end = hive_copy(end, headers[i].name);
    end = hive_copy(end, HIVE_STR(": "));
    end = hive_copy(end, headers[i].value);
    end = hive_copy(end, HIVE_STR("\n"));
  }
  hive_str answer;
  int code = hive_answer(mem, hive_host_http(head, size, body.at, body.size), &answer);
  return code < 0 ? code : hive_parse_response(answer, r);
}

// hive_response_header returns the first value of a header, or HIVE_NONE. name is
// in lower case.
static inline hive_str hive_response_header(const hive_response *r, hive_str name) {
  hive_str rest = r->headers, line, before;
  while (hive_line(&rest, &line)) {
    if (!hive_cut(&line, ':', &before) || !hive_equal(before, name))
      continue;
    while (line.size > 0 && line.at[0] == ' ')
      line = (hive_str){line.at + 1, line.size - 1};
    return line;
  }
  return HIVE_NONE;
}

// Secrets and files

// hive_secret gives what the spore keeps under a name.
static inline int hive_secret(hive_mem *mem, hive_str name, hive_str *value) {
  return hive_answer(mem, hive_host_secret(name.at, name.size), value);
}

// hive_file_read gives at most limit bytes, up to 1 MiB, of a file, FOLDER/PATH,
// from offset on; none at its end.
static inline int hive_file_read(hive_mem *mem, hive_str path, int64_t offset, unsigned limit, hive_str *part) {
  return hive_answer(mem, hive_host_file_read(path.at, path.size, offset, limit), part);
}

// hive_file gives a file as a whole.
static inline int hive_file(hive_mem *mem, hive_str path, hive_str *content) {
  *content = HIVE_NONE;
  size_t room = 1 << 16, used = 0;
  char *to = (char *)hive_alloc(mem, room);
  for (;;) {
    int n = hive_host_file_read(path.at, path.size, (int64_t)used, 1 << 20);
    if (n < 0)
      return n;
    if (n == 0)
      break;
    if ((size_t)n > room - used) {
      room = hive_sum(hive_sum(room, room), (size_t)n);
      char *more = (char *)hive_alloc(mem, room);
      hive_copy(more, (hive_str){to, used});
      to = more;
    }
    int got = hive_host_answer_read(to + used, (size_t)n, 0);
    if (got < 0)
      return got;
    used += (size_t)got;
  }
  *content = (hive_str){to, used};
  return 0;
}

// hive_file_list gives the names in a folder, sorted: lines. Folders end in '/'.
static inline int hive_file_list(hive_mem *mem, hive_str path, hive_str *names) {
  return hive_answer(mem, hive_host_file_list(path.at, path.size), names);
}

// Clock and random numbers

// hive_clock tells the nanoseconds since 1970.
static inline int hive_clock(int64_t *now) { return hive_number(hive_host_clock(), now); }

// hive_random fills memory with random bytes.
static inline int hive_random(void *to, size_t size) {
  enum { most = 1 << 16 };
  for (char *at = (char *)to; size > 0;) {
    size_t n = size < most ? size : most;
    int code = hive_host_random(at, n);
    if (code < 0)
      return code;
    at += n;
    size -= n;
  }
  return 0;
}

// JSON, as much of it as hive_task answers

static inline void hive_json_space(hive_str *s) {
  while (s->size > 0 && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n'))
    *s = (hive_str){s->at + 1, s->size - 1};
}

// hive_json_take takes c, after spaces, if it is there.
static inline int hive_json_take(hive_str *s, char c) {
  hive_json_space(s);
  if (s->size == 0 || *s->at != c)
    return 0;
  *s = (hive_str){s->at + 1, s->size - 1};
  return 1;
}

// hive_json_value takes a value, as it is written. It returns 0 if there is none.
static inline int hive_json_value(hive_str *s, hive_str *value) {
  size_t n = 0, depth = 0;
  int quoted = 0;
  hive_json_space(s);
  for (; n < s->size; n++) {
    char c = s->at[n];
    if (quoted && c == '\\')
      n++;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '{' || c == '['))
      depth++;
    else if (!quoted && depth == 0 && (c == ',' || c == ':' || c == '}' || c == ']'))
      break;
    else if (!quoted && (c == '}' || c == ']'))
      depth--;
  }
  if (n > s->size || quoted || depth > 0 || n == 0)
    return 0;
  *value = (hive_str){s->at, n};
  *s = (hive_str){s->at + n, s->size - n};
  while (value->size > 0 && (unsigned char)value->at[value->size - 1] <= ' ')
    value->size--;
  return value->size > 0;
}

// hive_json_member steps through an object: it takes a member from its front, and
// returns 0 if there is none. name and value are as they are written; see
// hive_json_text.
static inline int hive_json_member(hive_str *object, hive_str *name, hive_str *value) {
  if (!hive_json_take(object, '{') && !hive_json_take(object, ','))
    return 0;
  return hive_json_value(object, name) && hive_json_take(object, ':') && hive_json_value(object, value);
}

// hive_json_get returns the value of a member, or HIVE_NONE.
static inline hive_str hive_json_get(hive_str object, hive_str name) {
  hive_str written, value;
  while (hive_json_member(&object, &written, &value))
    if (written.size == name.size + 2 && hive_equal((hive_str){written.at + 1, name.size}, name))
      return value;
  return HIVE_NONE;
}

// hive_json_hex reads the four digits of \uXXXX, or returns -1.
static inline int32_t hive_json_hex(hive_str s) {
  int32_t n = 0;
  if (s.size < 4)
    return -1;
  for (size_t i = 0; i < 4; i++) {
    char c = s.at[i];
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0)
      return -1;
    n = n << 4 | digit;
  }
  return n;
}

// hive_utf8 writes a character.
static inline char *hive_utf8(char *to, int32_t c) {
  if (c < 0x80) {
    *to++ = (char)c;
    return to;
  }
  int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  *to++ = (char)((0xff00 >> (more + 1) & 0xff) | c >> 6 * more);
  while (more-- > 0)
    *to++ = (char)(0x80 | (c >> 6 * more & 0x3f));
  return to;
}

// hive_json_text returns what a string says. Anything else is left as it is.
static inline hive_str hive_json_text(hive_mem *mem, hive_str value) {
  if (value.size < 2 || *value.at != '"')
    return value;
  hive_str rest = {value.at + 1, value.size - 2};
  char *text = (char *)hive_alloc(mem, rest.size), *to = text; // no escape is shorter than what it means
  for (; rest.size > 0; rest = (hive_str){rest.at + 1, rest.size - 1}) {
    if (*rest.at != '\\' || rest.size == 1) {
      *to++ = *rest.at;
      continue;
    }
    rest = (hive_str){rest.at + 1, rest.size - 1};
    char c = *rest.at;
    int32_t high = c == 'u' ? hive_json_hex((hive_str){rest.at + 1, rest.size - 1}) : -1;
    if (high < 0) {
      *to++ = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
      continue;
    }
    rest = (hive_str){rest.at + 4, rest.size - 4};
    if (high >= 0xd800 && high < 0xdc00 && rest.size > 6 && rest.at[1] == '\\' && rest.at[2] == 'u') {
      int32_t low = hive_json_hex((hive_str){rest.at + 3, rest.size - 3});
      if (low >= 0xdc00 && low < 0xe000) {
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        rest = (hive_str){rest.at + 6, rest.size - 6};
      }
    }
    to = hive_utf8(to, high >= 0xd800 && high < 0xe000 ? 0xfffd : high);
  }
  return (hive_str){text, (size_t)(to - text)};
}

#endif
