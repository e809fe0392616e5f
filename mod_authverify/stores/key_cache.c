/* Remembers keys that were derived from secrets.
 * SPDX-License-Identifier: Apache-2.0 */
#include "key_cache.h"
#include "siphash.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdatomic.h>

#define SLOTS 1024
#define WORDS (AV_LARGEST_DERIVED_KEY / sizeof(uint64_t))

/* Written by one thread at a time: the version is odd meanwhile. Who reads and finds the same even version before and
 * after has read one entry. */
typedef struct slot {
    _Atomic uint64_t version;
    _Atomic uint64_t name[2];
    _Atomic uint64_t key[WORDS];
} slot;

/* What an entry is found by. */
typedef struct name {
    uint64_t words[2];
} name;

struct av_key_cache {
    uint64_t hash_keys[2][2];
    slot slots[SLOTS];
};

static apr_status_t wipe(void *cache)
{
    OPENSSL_cleanse(cache, sizeof(av_key_cache));
    return APR_SUCCESS;
}

av_key_cache *av_key_cache_create(apr_pool_t *pool)
{
    av_key_cache *cache = apr_pcalloc(pool, sizeof(*cache));
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

static uint64_t get(const _Atomic uint64_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

static void set(_Atomic uint64_t *at, uint64_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

bool av_key_cache_find(const av_key_cache *cache, av_slice secret, av_slice purpose, unsigned char *key,
                       apr_size_t size)
{
    name wanted = name_of(cache, secret, purpose, size);
    const slot *at = &cache->slots[wanted.words[0] % SLOTS];
    uint64_t words[WORDS] = { 0 };
    uint64_t version = atomic_load_explicit(&at->version, memory_order_acquire);
    bool is_it =
        version && !(version & 1) && get(&at->name[0]) == wanted.words[0] && get(&at->name[1]) == wanted.words[1];
    for (size_t i = 0; is_it && i < WORDS; i++) {
        words[i] = get(&at->key[i]);
    }
    atomic_thread_fence(memory_order_acquire);
    is_it = is_it && get(&at->version) == version;
    if (is_it) {
        memcpy(key, words, size);
    }
    OPENSSL_cleanse(words, sizeof(words));
    return is_it;
}

void av_key_cache_add(av_key_cache *cache, av_slice secret, av_slice purpose, const unsigned char *key, apr_size_t size)
{
    name made = name_of(cache, secret, purpose, size);
    slot *at = &cache->slots[made.words[0] % SLOTS];
    uint64_t words[WORDS] = { 0 };
    uint64_t version = get(&at->version);
    if (version & 1 || !atomic_compare_exchange_strong_explicit(&at->version, &version, version + 1,
                                                                memory_order_acquire, memory_order_relaxed)) {
        return; /* somebody else is writing here */
    }
    atomic_thread_fence(memory_order_release);
    memcpy(words, key, size);
    for (size_t i = 0; i < WORDS; i++) {
        set(&at->key[i], words[i]);
    }
    set(&at->name[0], made.words[0]);
    set(&at->name[1], made.words[1]);
    atomic_store_explicit(&at->version, version + 2, memory_order_release);
    OPENSSL_cleanse(words, sizeof(words));
}
