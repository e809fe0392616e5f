/* SipHash-2-4 (Aumasson and Bernstein, 2012): a short keyed hash for tables whose keys strangers choose.
 *
 * libcrypto has it too, at ten times the cost for the length of a name.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_SIPHASH_H
#define AV_SIPHASH_H

#include "../core/slice.h"

#include <stdint.h>

uint64_t av_siphash(const uint64_t key[2], av_slice text);

#endif
