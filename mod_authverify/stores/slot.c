/* A piece of memory that processes share.
 * SPDX-License-Identifier: Apache-2.0 */
#include "slot.h"

#include <sys/mman.h>

void av_slot_discard(av_slot slot)
{
    apr_size_t end = av_slot_get(slot, AV_SLOT_END);
    for (apr_size_t i = 0; i < end && i < slot.capacity; i++) {
        av_slot_set(slot, i, 0);
    }
#ifdef MADV_REMOVE
    madvise((void *)slot.words, slot.capacity * sizeof(uint64_t), MADV_REMOVE);
#endif
}
