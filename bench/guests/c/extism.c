// The job as an Extism plugin, without its PDK: the functions are the kernel's.
#include "job.h"

typedef unsigned long long u64;
#define EXTISM(name) __attribute__((import_module("extism:host/env"), import_name(#name)))

EXTISM(input_length) u64 input_length(void);
EXTISM(input_load_u8) int input_load_u8(u64 offset);
EXTISM(input_load_u64) u64 input_load_u64(u64 offset);
EXTISM(alloc) u64 alloc(u64 length);
EXTISM(store_u8) void store_u8(u64 address, int value);
EXTISM(store_u64) void store_u64(u64 address, u64 value);
EXTISM(output_set) void output_set(u64 address, u64 length);

static union {
  char text[job_max];
  u64 words[job_max / 8];
} in;
static union {
  char text[job_max + 104];
  u64 words[job_max / 8 + 13];
} out;

__attribute__((export_name("run"))) int run(void) {
  u64 length = input_length(), whole = length / 8 * 8, i;
  if (length > job_max)
    return 1;
  for (i = 0; i < whole; i += 8)
    in.words[i / 8] = input_load_u64(i);
  for (; i < length; i++)
    in.text[i] = (char)input_load_u8(i);
  int n = job(in.text, (int)length, out.text);
  if (n < 0)
    return 1;
  u64 to = alloc((u64)n);
  for (i = 0, whole = (u64)n / 8 * 8; i < whole; i += 8)
    store_u64(to + i, out.words[i / 8]);
  for (; i < (u64)n; i++)
    store_u8(to + i, out.text[i]);
  output_set(to, (u64)n);
  return 0;
}
