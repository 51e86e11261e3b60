// A reactor that counts its calls where a program can keep a number: in its
// memory, on its data, and on a page far from both. It answers with the largest.
#define HIVE(name) __attribute__((import_module("hive"), import_name(#name)))
HIVE(output_write) int output_write(const void *from, int length);

static int zero, set = 41;
static char far[1 << 18];

__attribute__((export_name("hive_run"))) int hive_run(int length) {
  int count = ++zero, more = ++set - 41;
  if (more > count)
    count = more;
  if (++far[200000] > count)
    count = far[200000];
  char text[2] = {(char)('0' + count % 10), 0};
  return output_write(text, 1);
}
