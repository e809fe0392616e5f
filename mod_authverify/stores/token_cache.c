/* Remembers what proven tokens say.
 * SPDX-License-Identifier: Apache-2.0 */
#include "token_cache.h"
#include "entries.h"

#include <sys/mman.h>

/* What is kept of one. */
typedef struct value {
    apr_time_t expires;
    av_token_notes notes;
} value;

static const av_entries_shape shape = { 4096, sizeof(av_token_name) / sizeof(uint64_t), sizeof(value) };

_Static_assert(sizeof(av_token_name) % sizeof(uint64_t) == 0, "a name is whole words");
_Static_assert(sizeof(value) % sizeof(uint64_t) == 0, "a value is whole words");

struct av_token_cache {
    av_entries *entries;
};

static apr_status_t release(void *entries)
{
    munmap(entries, av_entries_size(shape));
    return APR_SUCCESS;
}

/* Memory of the system's own is not there before it is written to: who has no tokens pays nothing. */
av_token_cache *av_token_cache_create(apr_pool_t *pool)
{
    void *memory = mmap(NULL, av_entries_size(shape), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    av_token_cache *cache = apr_palloc(pool, sizeof(*cache));
    cache->entries = av_entries_create(memory, shape);
    apr_pool_cleanup_register(pool, memory, release, apr_pool_cleanup_null);
    return cache;
}

/* The name in words, of which the first is a piece of a digest. */
typedef union words_of_name {
    av_token_name name;
    uint64_t words[sizeof(av_token_name) / sizeof(uint64_t)];
} words_of_name;

bool av_token_cache_find(const av_token_cache *cache, const av_token_name *name, apr_time_t now, av_token_notes *notes)
{
    words_of_name wanted = { .name = *name };
    value found;
    apr_size_t len = sizeof(found);
    bool is_found = av_entries_find(cache->entries, wanted.words, &found, &len) && found.expires > now;
    if (is_found) {
        *notes = found.notes;
    }
    return is_found;
}

void av_token_cache_add(av_token_cache *cache, const av_token_name *name, apr_time_t expires,
                        const av_token_notes *notes)
{
    words_of_name made = { .name = *name };
    value kept = { expires, *notes };
    av_entries_add(cache->entries, made.words, &kept, sizeof(kept));
}
