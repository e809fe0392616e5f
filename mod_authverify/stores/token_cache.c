/* Remembers what proven tokens say.
 * SPDX-License-Identifier: Apache-2.0 */
#include "token_cache.h"

#include <stdatomic.h>
#include <sys/mman.h>

#define SLOTS 4096
#define NAME_WORDS (sizeof(av_token_name) / sizeof(uint64_t))
#define NOTE_WORDS (sizeof(av_token_notes) / sizeof(uint64_t))

_Static_assert(sizeof(av_token_name) % sizeof(uint64_t) == 0, "a name is whole words");
_Static_assert(sizeof(av_token_notes) % sizeof(uint64_t) == 0, "notes are whole words");

/* Written by one thread at a time: the version is odd meanwhile. Who reads and finds the same even version before and
 * after has read one entry. */
typedef struct slot {
    _Atomic uint64_t version;
    _Atomic uint64_t expires;
    _Atomic uint64_t name[NAME_WORDS];
    _Atomic uint64_t notes[NOTE_WORDS];
} slot;

struct av_token_cache {
    slot slots[SLOTS];
};

static apr_status_t release(void *cache)
{
    munmap(cache, sizeof(av_token_cache));
    return APR_SUCCESS;
}

/* Memory of the system's own is not there before it is written to: who has no tokens pays nothing. */
av_token_cache *av_token_cache_create(apr_pool_t *pool)
{
    void *cache = mmap(NULL, sizeof(av_token_cache), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (cache == MAP_FAILED) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, cache, release, apr_pool_cleanup_null);
    return cache;
}

static void copy_out(const _Atomic uint64_t *from, void *to, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint64_t word = atomic_load_explicit(&from[i], memory_order_relaxed);
        memcpy((char *)to + i * sizeof(word), &word, sizeof(word));
    }
}

static void copy_in(_Atomic uint64_t *to, const void *from, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, (const char *)from + i * sizeof(word), sizeof(word));
        atomic_store_explicit(&to[i], word, memory_order_relaxed);
    }
}

static size_t index_of(const av_token_name *name)
{
    size_t hash;
    memcpy(&hash, name->digest, sizeof(hash));
    return hash % SLOTS;
}

bool av_token_cache_find(const av_token_cache *cache, const av_token_name *name, apr_time_t now, av_token_notes *notes)
{
    const slot *at = &cache->slots[index_of(name)];
    av_token_name found;
    uint64_t version = atomic_load_explicit(&at->version, memory_order_acquire);
    if (!version || version & 1 || (apr_time_t)atomic_load_explicit(&at->expires, memory_order_relaxed) <= now) {
        return false;
    }
    copy_out(at->name, &found, NAME_WORDS);
    if (memcmp(&found, name, sizeof(found)) != 0) {
        return false;
    }
    copy_out(at->notes, notes, NOTE_WORDS);
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&at->version, memory_order_relaxed) == version;
}

void av_token_cache_add(av_token_cache *cache, const av_token_name *name, apr_time_t expires,
                        const av_token_notes *notes)
{
    slot *at = &cache->slots[index_of(name)];
    uint64_t version = atomic_load_explicit(&at->version, memory_order_relaxed);
    if (version & 1 || !atomic_compare_exchange_strong_explicit(&at->version, &version, version + 1,
                                                                memory_order_acquire, memory_order_relaxed)) {
        return; /* somebody else is writing here */
    }
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&at->expires, (uint64_t)expires, memory_order_relaxed);
    copy_in(at->name, name, NAME_WORDS);
    copy_in(at->notes, notes, NOTE_WORDS);
    atomic_store_explicit(&at->version, version + 2, memory_order_release);
}
