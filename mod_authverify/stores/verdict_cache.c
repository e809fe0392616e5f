/* Remembers which passwords were right.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verdict_cache.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdint.h>

#define SLOTS 4096
#define KEY_SIZE 32

/* Two words, each read and written whole. A reader that sees halves of two entries finds neither. */
typedef struct slot {
    _Atomic uint64_t high, low;
} slot;

struct av_verdict_cache {
    const av_hmac_key *key;
    slot slots[SLOTS];
};

av_verdict_cache *av_verdict_cache_create(const av_crypto *crypto, apr_pool_t *pool)
{
    unsigned char bytes[KEY_SIZE];
    av_verdict_cache *cache = apr_pcalloc(pool, sizeof(*cache));
    bool done = RAND_bytes(bytes, sizeof(bytes)) == 1;
    cache->key = done ? av_hmac_prepare(crypto->sha256, (av_slice){ (const char *)bytes, sizeof(bytes) }, pool) : NULL;
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return cache->key ? cache : NULL;
}

/* Its length goes before each part, so that no two triples make one text. */
static bool add_part(EVP_MD_CTX *context, av_slice part)
{
    uint64_t len = part.len;
    return EVP_DigestUpdate(context, &len, sizeof(len)) == 1 && EVP_DigestUpdate(context, part.at, part.len) == 1;
}

bool av_verdict_cache_key(const av_verdict_cache *cache, av_slice client, av_slice stored, av_slice presented,
                          av_verdict_key *key)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context && av_hmac_start(cache->key, context) && add_part(context, client) &&
                add_part(context, stored) && add_part(context, presented) &&
                av_hmac_finish(cache->key, context, mac, &size);
    if (done) {
        memcpy(&key->high, mac, sizeof(key->high));
        memcpy(&key->low, mac + sizeof(key->high), sizeof(key->low));
    }
    EVP_MD_CTX_free(context);
    OPENSSL_cleanse(mac, sizeof(mac));
    return done;
}

bool av_verdict_cache_has(const av_verdict_cache *cache, const av_verdict_key *key)
{
    const slot *at = &cache->slots[key->high % SLOTS];
    uint64_t high = atomic_load_explicit(&at->high, memory_order_relaxed);
    uint64_t low = atomic_load_explicit(&at->low, memory_order_relaxed);
    return (high | low) && ((high ^ key->high) | (low ^ key->low)) == 0;
}

void av_verdict_cache_add(av_verdict_cache *cache, const av_verdict_key *key)
{
    slot *at = &cache->slots[key->high % SLOTS];
    atomic_store_explicit(&at->high, key->high, memory_order_relaxed);
    atomic_store_explicit(&at->low, key->low, memory_order_relaxed);
}
