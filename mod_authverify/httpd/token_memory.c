/* The memory for tokens that were proven.
 * SPDX-License-Identifier: Apache-2.0 */
#include "token_memory.h"

#include "../stores/token_cache.h"

static bool recall(void *store, const av_token_name *name, apr_time_t now, av_token_notes *notes)
{
    return av_token_cache_find(store, name, now, notes);
}

static void keep(void *store, const av_token_name *name, apr_time_t expires, const av_token_notes *notes)
{
    av_token_cache_add(store, name, expires, notes);
}

const av_token_memory *avh_token_memory_create(apr_pool_t *pool)
{
    av_token_memory *memory = apr_palloc(pool, sizeof(*memory));
    *memory = (av_token_memory){ av_token_cache_create(pool), recall, keep };
    return memory->store ? memory : NULL;
}
