// What the parts of the skill have in common.
#ifndef DIGEST_H
#define DIGEST_H

#include <stddef.h>
#include <stdint.h>

// hash.c: each writes its digest, most significant byte first.
void sha256(const uint8_t *data, size_t size, uint8_t digest[32]);
void sha1(const uint8_t *data, size_t size, uint8_t digest[20]);
void crc32(const uint8_t *data, size_t size, uint8_t digest[4]);

// type.c: the media type that the first bytes give away.
const char *media_type(const uint8_t *data, size_t size);

#endif
