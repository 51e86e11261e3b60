// The job as a program: WASI, or native.
#include <stdio.h>
#include "job.h"

int main(void) {
  static char in[job_max], out[job_max + 100];
  int n = job(in, (int)fread(in, 1, sizeof in, stdin), out);
  if (n < 0) {
    fputs("this is not the job\n", stderr);
    return 1;
  }
  fwrite(out, 1, (size_t)n, stdout);
  return 0;
}
