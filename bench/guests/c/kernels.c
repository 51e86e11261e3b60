// Work to measure what metering costs on.
typedef unsigned u;
typedef unsigned char byte;
typedef unsigned long size_t;
#define export(name) __attribute__((export_name(#name), noinline))

void *memset(void *to, int value, size_t n) {
  byte *p = to;
  while (n--)
    *p++ = (byte)value;
  return to;
}

void *memcpy(void *to, const void *from, size_t n) {
  byte *p = to;
  const byte *q = from;
  while (n--)
    *p++ = *q++;
  return to;
}

// loop is as tight as a loop can be.
export(loop) u loop(void) {
  u i = 0;
  do
    __asm__ volatile("" : "+r"(i));
  while (++i < 1000000);
  return i;
}

static __attribute__((noinline)) u fib(u n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

export(recursion) u recursion(void) { return fib(25); }

// SHA-256 as FIPS 180-4 has it, of 1 MiB.
static byte block[1 << 20];

static const u K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static u rotate(u x, int n) { return x >> n | x << (32 - n); }

static void digest(u h[8], const byte *p) {
  u w[64], a[8];
  for (int i = 0; i < 16; i++)
    w[i] = (u)p[4 * i] << 24 | (u)p[4 * i + 1] << 16 | (u)p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++)
    w[i] = w[i - 16] + (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
           (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
  for (int i = 0; i < 8; i++)
    a[i] = h[i];
  for (int i = 0; i < 64; i++) {
    u t = a[7] + (rotate(a[4], 6) ^ rotate(a[4], 11) ^ rotate(a[4], 25)) + ((a[4] & a[5]) ^ (~a[4] & a[6])) + K[i] + w[i];
    u s = (rotate(a[0], 2) ^ rotate(a[0], 13) ^ rotate(a[0], 22)) + ((a[0] & a[1]) ^ (a[0] & a[2]) ^ (a[1] & a[2]));
    for (int k = 7; k > 0; k--)
      a[k] = a[k - 1];
    a[4] += t, a[0] = t + s;
  }
  for (int i = 0; i < 8; i++)
    h[i] += a[i];
}

export(sha256) u sha256(void) {
  u h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (const byte *p = block; p < block + sizeof block; p += 64)
    digest(h, p);
  byte last[64] = {0x80};
  last[61] = (sizeof block * 8) >> 16 & 255; // 2^23 bits
  digest(h, last);
  return h[0];
}

// 16,384 numbers by quicksort.
static u words[1 << 14];

static void quick(u *a, int n) {
  while (n > 1) {
    u p = a[n / 2];
    int i = 0, j = n - 1;
    for (;; i++, j--) {
      while (a[i] < p)
        i++;
      while (a[j] > p)
        j--;
      if (i >= j)
        break;
      u t = a[i];
      a[i] = a[j], a[j] = t;
    }
    quick(a, i);
    a += i, n -= i;
  }
}

export(sort) u sort(void) {
  u x = 1;
  for (u i = 0; i < sizeof words / sizeof *words; i++)
    words[i] = x = x * 1664525 + 1013904223;
  quick(words, sizeof words / sizeof *words);
  return words[0];
}

// 100 KB of JSON into a tree of values.
struct value {
  char kind; // of { [ " 0 t f n
  const char *text;
  u length;
  double number;
  struct value *first, *next; // members: key, value, key, value
};

static struct value heap[1 << 15];
static u used;
static char json_text[100000];

static const char *space(const char *p) {
  while (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')
    p++;
  return p;
}

static const char *parse(const char *p, struct value **into);

static const char *members(const char *p, char close, struct value **into) {
  for (p = space(p); *p != close; p = space(p)) {
    if (!(p = parse(p, into)))
      return 0;
    into = &(*into)->next;
    p = space(p);
    if (*p == ',' || *p == ':')
      p++;
  }
  return p + 1;
}

static const char *number(const char *p, double *n) {
  double sign = *p == '-' ? p++, -1 : 1, v = 0, scale = 1;
  for (; *p >= '0' && *p <= '9'; p++)
    v = v * 10 + (*p - '0');
  if (*p == '.')
    for (p++; *p >= '0' && *p <= '9'; p++)
      v = v * 10 + (*p - '0'), scale *= 10;
  *n = sign * v / scale;
  return p;
}

static const char *parse(const char *p, struct value **into) {
  if (used == sizeof heap / sizeof *heap)
    return 0;
  struct value *v = *into = &heap[used++];
  p = space(p);
  v->kind = *p, v->text = p, v->first = v->next = 0;
  switch (*p) {
  case '{':
    return members(p + 1, '}', &v->first);
  case '[':
    return members(p + 1, ']', &v->first);
  case '"':
    for (p++; *p != '"'; p++)
      if (*p == '\\')
        p++;
    v->length = (u)(p - v->text);
    return p + 1;
  case 't':
  case 'n':
    return p + 4;
  case 'f':
    return p + 5;
  }
  v->kind = '0';
  return number(p, &v->number);
}

export(json) u json(void) {
  static const char record[] = "{\"name\": \"bee \\\"0\\\"\", \"value\": [1.25, -2, 3.5], \"tags\": [\"a\", \"b\\n\", null], \"ok\": true}";
  struct value *all;
  if (!json_text[0]) {
    char *p = json_text;
    for (*p++ = '['; p < json_text + sizeof json_text - 2 * sizeof record; *p++ = ',') {
      memcpy(p, record, sizeof record - 1);
      p += sizeof record - 1;
    }
    p[-1] = ']';
  }
  used = 0;
  if (!parse(json_text, &all))
    return 0;
  return used;
}
