// Never ends by itself if its payload is empty.
#include "hive.h"

__attribute__((export_name("hive_run"))) int hive_run(int length) {
  if (length == 0)
    for (;;)
      __asm__ volatile("");
  return output_write("ok", 2);
}
