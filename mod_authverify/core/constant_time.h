/* What keeps a compiler from choosing by a branch or an address where the source was written to do neither.
 * tests/constant_time looks at what it made of it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_CONSTANT_TIME_H
#define AV_CONSTANT_TIME_H

#include <stdint.h>

/* The same value, of which the compiler knows nothing any more: neither that it is 0 or 1 nor what it depends on. */
static inline uint64_t av_opaque(uint64_t value)
{
    __asm__("" : "+r"(value));
    return value;
}

#endif
