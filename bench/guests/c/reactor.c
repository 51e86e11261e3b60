// The job as a reactor without any library. With MEET it waits, once it is
// done, for others that run at the same time.
#include "hive.h"
#include "job.h"

static char in[job_max], out[job_max + 100];

#ifdef MEET
__attribute__((import_module("bench"), import_name("meet"))) void meet(void);
#endif

__attribute__((export_name("hive_run"))) int hive_run(int length) {
  static const char why[] = "this is not the job";
  int n = length > job_max ? -1 : job(in, input_read(in, length, 0), out);
  if (n < 0) {
    fail(why, sizeof why - 1, 1);
    return 1;
  }
#ifdef MEET
  meet();
#endif
  return output_write(out, n);
}
