// The job all guests do: {"a":20,"b":22,"name":"bee"} in any order and spacing
// -> {"sum":42,"product":440,"hello":"bee"}. Nothing of a library is needed.
enum { job_max = 4096 };

struct text {
  const char *at, *end;
};

static void skip_space(struct text *t) {
  while (t->at < t->end && (*t->at == ' ' || *t->at == '\t' || *t->at == '\n' || *t->at == '\r'))
    t->at++;
}

// eat takes c, after spaces, if it is there.
static int eat(struct text *t, char c) {
  skip_space(t);
  if (t->at == t->end || *t->at != c)
    return 0;
  t->at++;
  return 1;
}

// string takes a string and leaves what is between its quotes, escaped as it was.
static int string(struct text *t, struct text *s) {
  if (!eat(t, '"'))
    return 0;
  for (s->at = t->at; t->at < t->end; t->at++)
    if (*t->at == '"') {
      s->end = t->at++;
      return 1;
    } else if (*t->at == '\\' && ++t->at == t->end)
      return 0;
  return 0;
}

static int number(struct text *t, long long *n) {
  int minus = eat(t, '-');
  unsigned long long v = 0; // wraps round where a signed one is not defined
  const char *first = t->at;
  for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++)
    v = v * 10 + (unsigned long long)(*t->at - '0');
  *n = (long long)(minus ? 0 - v : v);
  return t->at > first;
}

static int is(struct text s, const char *word) {
  for (; s.at < s.end && *word == *s.at; s.at++)
    word++;
  return s.at == s.end && !*word;
}

static char *put(char *out, const char *from, const char *end) {
  while (from < end)
    *out++ = *from++;
  return out;
}

static char *put_text(char *out, const char *text) {
  while (*text)
    *out++ = *text++;
  return out;
}

static char *put_number(char *out, long long n) {
  char digits[20], *at = digits + sizeof digits;
  unsigned long long v = n < 0 ? 0 - (unsigned long long)n : (unsigned long long)n;
  do
    *--at = (char)('0' + v % 10);
  while (v /= 10);
  if (n < 0)
    *out++ = '-';
  return put(out, at, digits + sizeof digits);
}

// job returns the length of the answer, or -1 if the input is not as it should be.
// out has room for 100 bytes more than the input.
static int job(const char *in, int length, char *out) {
  struct text t = {in, in + length}, key, name = {in, in};
  long long a = 0, b = 0;
  char *end = out;
  if (!eat(&t, '{'))
    return -1;
  do {
    if (!string(&t, &key) || !eat(&t, ':'))
      return -1;
    if (is(key, "a") ? !number(&t, &a) : is(key, "b") ? !number(&t, &b) : is(key, "name") ? !string(&t, &name) : 1)
      return -1;
  } while (eat(&t, ','));
  if (!eat(&t, '}'))
    return -1;
  skip_space(&t);
  if (t.at != t.end)
    return -1;
  end = put_text(end, "{\"sum\":");
  end = put_number(end, (long long)((unsigned long long)a + (unsigned long long)b));
  end = put_text(end, ",\"product\":");
  end = put_number(end, (long long)((unsigned long long)a * (unsigned long long)b));
  end = put_text(end, ",\"hello\":\"");
  end = put(end, name.at, name.end);
  end = put_text(end, "\"}");
  return (int)(end - out);
}
