// What a reactor may import (docs/abi.md).
#define HIVE(name) __attribute__((import_module("hive"), import_name(#name)))

HIVE(input_read) int input_read(void *to, int length, int offset);
HIVE(output_write) int output_write(const void *from, int length);
HIVE(fail) void fail(const char *message, int length, int flags);
