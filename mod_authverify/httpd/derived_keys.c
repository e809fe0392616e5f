/* The memory for derived keys.
 * SPDX-License-Identifier: Apache-2.0 */
#include "derived_keys.h"

#include "../stores/key_cache.h"

static bool recall(void *store, av_slice secret, av_slice purpose, unsigned char *key, apr_size_t size)
{
    return av_key_cache_find(store, secret, purpose, key, size);
}

static void keep(void *store, av_slice secret, av_slice purpose, const unsigned char *key, apr_size_t size)
{
    av_key_cache_add(store, secret, purpose, key, size);
}

const av_key_memory *avh_derived_keys_create(apr_pool_t *pool)
{
    av_key_memory *memory = apr_palloc(pool, sizeof(*memory));
    *memory = (av_key_memory){ av_key_cache_create(pool), recall, keep };
    return memory->store ? memory : NULL;
}
