/* A piece of memory that processes share, for one set: words that are read and written whole, so that a reader who is
 * too late reads wrong values and nothing worse.
 *
 * Every set begins with the same two words: how many words are written, which whoever writes keeps up to date, and how
 * many entries the set has. Memory that reads as zeros is the empty set.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_SLOT_H
#define AV_SLOT_H

#include "pace.h"

#include <apr.h>
#include <stdatomic.h>
#include <stdint.h>

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a look-up must not lock");

typedef struct av_slot {
    _Atomic uint64_t *words;
    apr_size_t capacity; /* in words */
} av_slot;

/* Where they are in every set; what else it has begins at the third. */
enum { AV_SLOT_END, AV_SLOT_COUNT, AV_SLOT_HEADER };

static inline uint64_t av_slot_get(av_slot from, apr_size_t at)
{
    return atomic_load_explicit(&from.words[at], memory_order_relaxed);
}

static inline void av_slot_set(av_slot to, apr_size_t at, uint64_t word)
{
    atomic_store_explicit(&to.words[at], word, memory_order_relaxed);
}

/* Wipes what is written and gives the memory back to the system. */
void av_slot_discard(av_slot slot, av_pace *pace);

#endif
