/* Remembers keys that were derived from secrets.
 * SPDX-License-Identifier: Apache-2.0 */
#include "key_cache.h"
#include "entries.h"
#include "siphash.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

/* What an entry is found by. */
typedef struct name {
    uint64_t words[2];
} name;

static const av_entries_shape shape = { 1024, sizeof(name) / sizeof(uint64_t), AV_LARGEST_DERIVED_KEY };

struct av_key_cache {
    uint64_t hash_keys[2][2];
    av_entries *keys; /* right behind */
};

static apr_status_t wipe(void *cache)
{
    OPENSSL_cleanse(cache, sizeof(av_key_cache) + av_entries_size(shape));
    return APR_SUCCESS;
}

av_key_cache *av_key_cache_create(apr_pool_t *pool)
{
    av_key_cache *cache = apr_pcalloc(pool, sizeof(*cache) + av_entries_size(shape));
    cache->keys = av_entries_create(cache + 1, shape);
    apr_pool_cleanup_register(pool, cache, wipe, wipe);
    return RAND_bytes((unsigned char *)cache->hash_keys, sizeof(cache->hash_keys)) == 1 ? cache : NULL;
}

/* Two hashes of 64 bits each, under keys of their own: each over the secret, and with that over the purpose. */
static name name_of(const av_key_cache *cache, av_slice secret, av_slice purpose, apr_size_t size)
{
    name made;
    for (int i = 0; i < 2; i++) {
        uint64_t key[2] = { cache->hash_keys[i][0] ^ size,
                            cache->hash_keys[i][1] ^ av_siphash(cache->hash_keys[i], secret) };
        made.words[i] = av_siphash(key, purpose);
        OPENSSL_cleanse(key, sizeof(key));
    }
    return made;
}

bool av_key_cache_find(const av_key_cache *cache, av_slice secret, av_slice purpose, unsigned char *key,
                       apr_size_t size)
{
    name wanted = name_of(cache, secret, purpose, size);
    return av_entries_find(cache->keys, wanted.words, key, &size);
}

void av_key_cache_add(av_key_cache *cache, av_slice secret, av_slice purpose, const unsigned char *key, apr_size_t size)
{
    name made = name_of(cache, secret, purpose, size);
    av_entries_add(cache->keys, made.words, key, size);
}
