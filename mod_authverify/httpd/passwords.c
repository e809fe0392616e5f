/* The memory for passwords that were right.
 * SPDX-License-Identifier: Apache-2.0 */
#include "passwords.h"

#include "../stores/verdict_cache.h"

static bool knows(void *store, av_slice client, av_slice hash, av_slice password)
{
    av_verdict_key key;
    return av_verdict_cache_key(store, client, hash, password, &key) && av_verdict_cache_has(store, &key);
}

static void learn(void *store, av_slice client, av_slice hash, av_slice password)
{
    av_verdict_key key;
    if (av_verdict_cache_key(store, client, hash, password, &key)) {
        av_verdict_cache_add(store, &key);
    }
}

const av_password_memory *avh_passwords_create(const av_crypto *crypto, apr_pool_t *pool)
{
    av_password_memory *passwords = apr_palloc(pool, sizeof(*passwords));
    *passwords = (av_password_memory){ crypto ? av_verdict_cache_create(crypto, pool) : NULL, knows, learn };
    return passwords->store ? passwords : NULL;
}
