// Media types by what files of them begin with.
#include "digest.h"

#include <string.h>

// A zero in magic is written as it is: its size says where it ends.
#define MAGIC(at, magic, type) {at, sizeof magic - 1, magic, type}

static const struct {
  size_t at, size;
  const char *magic, *type;
} known[] = {
    MAGIC(0, "\x89PNG\r\n\x1a\n", "image/png"),
    MAGIC(0, "\xff\xd8\xff", "image/jpeg"),
    MAGIC(0, "GIF87a", "image/gif"),
    MAGIC(0, "GIF89a", "image/gif"),
    MAGIC(8, "WEBPVP8", "image/webp"),
    MAGIC(4, "ftypavif", "image/avif"),
    MAGIC(4, "ftypheic", "image/heic"),
    MAGIC(0, "II*\0", "image/tiff"),
    MAGIC(0, "MM\0*", "image/tiff"),
    MAGIC(0, "BM", "image/bmp"),
    MAGIC(0, "\0\0\1\0", "image/vnd.microsoft.icon"),
    MAGIC(0, "8BPS", "image/vnd.adobe.photoshop"),
    MAGIC(8, "WAVEfmt ", "audio/wav"),
    MAGIC(0, "fLaC", "audio/flac"),
    MAGIC(0, "ID3", "audio/mpeg"),
    MAGIC(0, "OggS\0", "application/ogg"),
    MAGIC(4, "ftyp", "video/mp4"),
    MAGIC(0, "\x1a\x45\xdf\xa3", "video/x-matroska"),
    MAGIC(0, "wOFF", "font/woff"),
    MAGIC(0, "wOF2", "font/woff2"),
    MAGIC(0, "%PDF-", "application/pdf"),
    MAGIC(0, "PK\3\4", "application/zip"),
    MAGIC(0, "PK\5\6", "application/zip"),
    MAGIC(0, "\x1f\x8b\x08", "application/gzip"),
    MAGIC(0, "BZh", "application/x-bzip2"),
    MAGIC(0, "\xfd" "7zXZ\0", "application/x-xz"),
    MAGIC(0, "\x28\xb5\x2f\xfd", "application/zstd"),
    MAGIC(0, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    MAGIC(257, "ustar", "application/x-tar"),
    MAGIC(0, "\0asm", "application/wasm"),
    MAGIC(0, "\x7f" "ELF", "application/x-elf"),
    MAGIC(0, "MZ", "application/vnd.microsoft.portable-executable"),
    MAGIC(0, "SQLite format 3\0", "application/vnd.sqlite3"),
    MAGIC(0, "PAR1", "application/vnd.apache.parquet"),
    MAGIC(0, "\xff\xfe", "text/plain; charset=utf-16le"),
    MAGIC(0, "\xfe\xff", "text/plain; charset=utf-16be"),
};

// rune_size returns the bytes of the character of UTF-8 at p, or 0 if there is none:
// no overlong forms, no halves of surrogate pairs, nothing above U+10FFFF.
static size_t rune_size(const uint8_t *p, size_t left) {
  uint8_t c = p[0];
  size_t size = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
  if (size == 0 || size > left)
    return 0;
  for (size_t i = 1; i < size; i++)
    if ((p[i] & 0xc0) != 0x80)
      return 0;
  if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) || (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
    return 0;
  return size;
}

// is_text reports whether all of it is UTF-8 without the control characters that
// texts lack. Escape is none of those: logs have colours.
static int is_text(const uint8_t *data, size_t size) {
  for (size_t i = 0, n; i < size; i += n) {
    int control = data[i] < 0x20 && !(data[i] >= '\t' && data[i] <= '\r') && data[i] != 0x1b;
    n = rune_size(data + i, size - i);
    if (n == 0 || control)
      return 0;
  }
  return 1;
}

// begins reports whether a text begins with word, in lower case, in any case.
static int begins(const uint8_t *data, size_t size, const char *word) {
  size_t length = strlen(word);
  if (length > size)
    return 0;
  for (size_t i = 0; i < length; i++) {
    uint8_t c = data[i];
    if (c >= 'A' && c <= 'Z')
      c = (uint8_t)(c + ('a' - 'A'));
    if (c != (uint8_t)word[i])
      return 0;
  }
  return 1;
}

static const char *text_type(const uint8_t *data, size_t size) {
  if (begins(data, size, "\xef\xbb\xbf"))
    data += 3, size -= 3;
  while (size > 0 && (data[0] == ' ' || (data[0] >= '\t' && data[0] <= '\r')))
    data++, size--;
  if (begins(data, size, "<!doctype html") || begins(data, size, "<html"))
    return "text/html; charset=utf-8";
  if (begins(data, size, "<svg"))
    return "image/svg+xml";
  if (begins(data, size, "<?xml"))
    return "text/xml; charset=utf-8";
  return "text/plain; charset=utf-8";
}

const char *media_type(const uint8_t *data, size_t size) {
  // What is text as a whole is text, though it may begin with BM or MZ.
  if (is_text(data, size) && !begins(data, size, "%pdf-"))
    return text_type(data, size);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (size >= known[i].at && size - known[i].at >= known[i].size && memcmp(data + known[i].at, known[i].magic, known[i].size) == 0)
      return known[i].type;
  return "application/octet-stream";
}
