// Counts the lines, words and bytes of its input.
#include "hive.h"

static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static int run(hive_str input, hive_mem *mem) {
  int lines = 0, words = 0, in_word = 0;
  if (input.size == 0)
    return hive_fail_permanently(HIVE_STR("nothing to count"));
  for (size_t i = 0; i < input.size; i++) {
    char c = input.at[i];
    lines += c == '\n';
    words += !is_space(c) && !in_word;
    in_word = !is_space(c);
  }
  hive_log(HIVE_INFO, hive_format(mem, "counted %d words", words));
  return hive_output(hive_format(mem, "{\"lines\":%d,\"words\":%d,\"bytes\":%zu}\n", lines, words, input.size));
}

HIVE_SKILL(run)
