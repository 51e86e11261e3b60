// Tells what bytes are: their hashes, media type, size and entropy.
#include "digest.h"
#include "hive.h"

#include <math.h>

// hex returns bytes as hexadecimal digits.
static hive_str hex(hive_mem *mem, const uint8_t *bytes, size_t size) {
  char *text = hive_alloc(mem, 2 * size);
  for (size_t i = 0; i < size; i++) {
    text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
  return (hive_str){text, 2 * size};
}

// entropy returns Shannon's, in bits per byte: 0 where all are the same, near 8
// for what is compressed or encrypted.
static double entropy(const uint8_t *data, size_t size) {
  size_t counts[256] = {0};
  double bits = 0;
  for (size_t i = 0; i < size; i++)
    counts[data[i]]++;
  for (int i = 0; i < 256; i++)
    if (counts[i] > 0) {
      double p = (double)counts[i] / (double)size;
      bits -= p * log2(p);
    }
  return bits > 0 ? bits : 0; // -0 as well
}

static int run(hive_str input, hive_mem *mem) {
  const uint8_t *data = (const uint8_t *)input.at;
  uint8_t digest256[32], digest1[20], crc[4];
  sha256(data, input.size, digest256);
  sha1(data, input.size, digest1);
  crc32(data, input.size, crc);
  hive_str a = hex(mem, digest256, sizeof digest256), b = hex(mem, digest1, sizeof digest1), c = hex(mem, crc, sizeof crc);
  return hive_output(hive_format(mem, "{\"type\":\"%s\",\"bytes\":%zu,\"entropy\":%.4f,\"sha256\":\"%.*s\",\"sha1\":\"%.*s\",\"crc32\":\"%.*s\"}\n",
                                 media_type(data, input.size), input.size, entropy(data, input.size), (int)a.size, a.at,
                                 (int)b.size, b.at, (int)c.size, c.at));
}

HIVE_SKILL(run)
