/* Cyclic redundancy checks, reflected, eight bytes at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "crc.h"

/* The polynomials, lowest power in the highest bit. */
#define POLYNOMIAL_CRC32 0xedb88320u
#define POLYNOMIAL_CRC32C 0x82f63b78u
#define POLYNOMIAL_CRC64NVME 0x9a6c9329ac4bc9b5u

static uint64_t shift_out_byte(uint64_t crc, uint64_t polynomial)
{
    for (int bit = 0; bit < 8; bit++) {
        crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
    }
    return crc;
}

static void prepare(av_crc_table *table, uint64_t polynomial, uint64_t start)
{
    table->start = start;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t crc = byte;
        for (int following = 0; following < 8; following++) {
            crc = shift_out_byte(crc, polynomial);
            table->effect[following][byte] = crc;
        }
    }
}

void av_crc_prepare(av_crc_tables *tables)
{
    prepare(&tables->crc32, POLYNOMIAL_CRC32, UINT32_MAX);
    prepare(&tables->crc32c, POLYNOMIAL_CRC32C, UINT32_MAX);
    prepare(&tables->crc64nvme, POLYNOMIAL_CRC64NVME, UINT64_MAX);
}

/* Eight bytes, the first of them the lowest. */
static uint64_t little_endian(const char *at)
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++) {
        word |= (uint64_t)(unsigned char)at[i] << 8 * i;
    }
    return word;
}

uint64_t av_crc_add(const av_crc_table *table, uint64_t crc, av_slice bytes)
{
    for (; bytes.len >= 8; bytes = (av_slice){ bytes.at + 8, bytes.len - 8 }) {
        uint64_t word = crc ^ little_endian(bytes.at);
        crc = 0;
        for (int i = 0; i < 8; i++) {
            crc ^= table->effect[7 - i][word >> 8 * i & 0xff];
        }
    }
    for (apr_size_t i = 0; i < bytes.len; i++) {
        crc = table->effect[0][(crc ^ (unsigned char)bytes.at[i]) & 0xff] ^ crc >> 8;
    }
    return crc;
}

uint64_t av_crc_finish(const av_crc_table *table, uint64_t crc)
{
    return crc ^ table->start;
}
