/* Remembers what tokens say.
 * SPDX-License-Identifier: Apache-2.0 */
#include "token_cache.h"
#include "entries.h"

#include <sys/mman.h>

_Static_assert(sizeof(av_token_name) % sizeof(uint64_t) == 0, "a name is whole words");

struct av_token_cache {
    apr_size_t room, size;
    av_entries *entries;
};

/* What is kept of one token, as far as it is used. */
typedef struct value {
    apr_time_t expires;
    char notes[AV_MOST_TOKEN_NOTES];
} value;

static apr_status_t release(void *data)
{
    const av_token_cache *cache = data;
    munmap(cache->entries, cache->size);
    return APR_SUCCESS;
}

/* Memory of the system's own is not there before it is written to: who has no tokens pays nothing. */
av_token_cache *av_token_cache_create(av_token_cache_shape shape, apr_pool_t *pool)
{
    av_entries_shape slots = { shape.tokens, sizeof(av_token_name) / sizeof(uint64_t),
                               sizeof(apr_time_t) + shape.room };
    av_token_cache *cache = apr_palloc(pool, sizeof(*cache));
    cache->room = shape.room;
    cache->size = av_entries_size(slots);
    void *memory = mmap(NULL, cache->size, PROT_READ | PROT_WRITE,
                        MAP_ANONYMOUS | (shape.is_shared ? MAP_SHARED : MAP_PRIVATE), -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    cache->entries = av_entries_create(memory, slots);
    apr_pool_cleanup_register(pool, cache, release, apr_pool_cleanup_null);
    return cache;
}

/* The name in words, of which the first is a piece of a digest. */
typedef union words_of_name {
    av_token_name name;
    uint64_t words[sizeof(av_token_name) / sizeof(uint64_t)];
} words_of_name;

bool av_token_cache_find(const av_token_cache *cache, const av_token_name *name, apr_time_t now, void *notes,
                         apr_size_t *len)
{
    words_of_name wanted = { .name = *name };
    value found;
    apr_size_t size = sizeof(found);
    if (!av_entries_find(cache->entries, wanted.words, &found, &size) || found.expires <= now ||
        size - sizeof(found.expires) > *len) {
        return false;
    }
    *len = size - sizeof(found.expires);
    memcpy(notes, found.notes, *len);
    return true;
}

void av_token_cache_add(av_token_cache *cache, const av_token_name *name, apr_time_t expires, const void *notes,
                        apr_size_t len)
{
    words_of_name made = { .name = *name };
    value kept;
    if (len <= cache->room) {
        kept.expires = expires;
        memcpy(kept.notes, notes, len);
        av_entries_add(cache->entries, made.words, &kept, sizeof(kept.expires) + len);
    }
}
