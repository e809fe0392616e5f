/* The memories for tokens.
 * SPDX-License-Identifier: Apache-2.0 */
#include "token_memory.h"

#include "../stores/token_cache.h"

static const av_token_cache_shape proven = { .tokens = 4096, .room = 448 };
static const av_token_cache_shape answered = { .tokens = 2048, .room = AV_MOST_TOKEN_NOTES, .is_shared = true };

static bool recall(void *store, const av_token_name *name, apr_time_t now, void *notes, apr_size_t *len)
{
    return av_token_cache_find(store, name, now, notes, len);
}

static void keep(void *store, const av_token_name *name, apr_time_t expires, const void *notes, apr_size_t len)
{
    av_token_cache_add(store, name, expires, notes, len);
}

static const av_token_memory *create(av_token_cache_shape shape, apr_pool_t *pool)
{
    av_token_memory *memory = apr_palloc(pool, sizeof(*memory));
    *memory = (av_token_memory){ av_token_cache_create(shape, pool), shape.room, recall, keep };
    return memory->store ? memory : NULL;
}

const av_token_memory *avh_token_memory_create(apr_pool_t *pool)
{
    return create(proven, pool);
}

const av_token_memory *avh_answer_memory_create(apr_pool_t *pool)
{
    return create(answered, pool);
}
