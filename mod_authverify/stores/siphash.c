/* SipHash-2-4.
 * SPDX-License-Identifier: Apache-2.0 */
#include "siphash.h"

#include <endian.h>

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

/* Section 2.2 of the paper: one SipRound. */
static inline void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static inline void take(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v);
    mix(v);
    v[0] ^= word;
}

/* Eight bytes at most, the first of them the lowest. */
static inline uint64_t little_endian(const char *at, apr_size_t count)
{
    uint64_t word = 0;
    if (count) {
        memcpy(&word, at, count);
    }
    return le64toh(word);
}

uint64_t av_siphash(const uint64_t key[2], av_slice text)
{
    uint64_t v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                      key[1] ^ 0x7465646279746573 };
    apr_size_t at = 0;
    for (; text.len - at >= 8; at += 8) {
        take(v, little_endian(text.at + at, 8));
    }
    take(v, little_endian(text.at + at, text.len - at) | (uint64_t)text.len << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) {
        mix(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
