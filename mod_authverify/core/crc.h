/* Cyclic redundancy checks that storage services put beside a body. They find accidents, not enemies.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_CRC_H
#define AV_CRC_H

#include "slice.h"

#include <stdint.h>

/* What each byte value comes to when zero to seven bytes follow it: eight bytes are taken at a time. */
typedef struct av_crc_table {
    uint64_t effect[8][256];
    uint64_t start; /* the register before the first byte, and what it is combined with after the last */
} av_crc_table;

/* CRC-32 (ISO 3309), CRC-32C (RFC 3720 appendix B.4) and CRC-64/NVME (NVM Express, section 5.2.1.3.4). */
typedef struct av_crc_tables {
    av_crc_table crc32, crc32c, crc64nvme;
} av_crc_tables;

/* Fills the tables; once, at start. */
void av_crc_prepare(av_crc_tables *tables);

/* The register once `bytes` followed what it has seen. Begin with table->start. */
uint64_t av_crc_add(const av_crc_table *table, uint64_t crc, av_slice bytes);

/* The value of a register that has seen everything. */
uint64_t av_crc_finish(const av_crc_table *table, uint64_t crc);

#endif
