/* A piece of memory that processes share.
 * SPDX-License-Identifier: Apache-2.0 */
#include "slot.h"

#include <sys/mman.h>

#define PIECE 8192 /* words, and a multiple of every system's page */

static void give_back(av_slot slot, apr_size_t from, apr_size_t to)
{
#ifdef MADV_REMOVE
    madvise((void *)(slot.words + from), (to - from) * sizeof(uint64_t), MADV_REMOVE);
#else
    (void)slot, (void)from, (void)to;
#endif
}

static void wipe(av_slot slot, apr_size_t from, apr_size_t to)
{
    for (apr_size_t i = to; i > from; i--) {
        av_slot_set(slot, i - 1, 0);
    }
}

/* From the end, so that the first word says how much is left for whoever must begin again. */
void av_slot_discard(av_slot slot, av_pace *pace)
{
    apr_size_t end = av_slot_get(slot, AV_SLOT_END);
    apr_size_t from = (end < slot.capacity ? end : slot.capacity) / PIECE * PIECE, to = slot.capacity;
    for (;; from -= PIECE) {
        wipe(slot, from, to < end ? to : end);
        give_back(slot, from, to);
        av_pace_step(pace);
        if (!from) {
            return;
        }
        to = from;
    }
}
