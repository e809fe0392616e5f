/* A document that one process fetches for all.
 * SPDX-License-Identifier: Apache-2.0 */
#include "remote_document.h"

#include <stdatomic.h>
#include <sys/mman.h>

#define WORDS (AV_LARGEST_DOCUMENT / sizeof(uint64_t))
#define TRIES 8

/* Words that are read and written whole: a reader who is too late reads wrong ones and nothing worse. */
typedef struct text {
    _Atomic uint64_t len;
    _Atomic uint64_t words[WORDS];
} text;

struct av_remote_document {
    _Atomic uint64_t generation; /* its lowest bit says which text counts */
    _Atomic int64_t had, asked;  /* apr_time_t */
    _Atomic bool is_wanted;
    text texts[2];
};

av_remote_document *av_remote_document_create(void)
{
    void *memory = mmap(NULL, sizeof(av_remote_document), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void av_remote_document_destroy(av_remote_document *document)
{
    munmap(document, sizeof(*document));
}

uint64_t av_remote_document_generation(const av_remote_document *document)
{
    return atomic_load_explicit(&document->generation, memory_order_acquire);
}

static void read_words(const text *from, char *to, apr_size_t len)
{
    for (apr_size_t i = 0; i * sizeof(uint64_t) < len; i++) {
        uint64_t word = atomic_load_explicit(&from->words[i], memory_order_relaxed);
        memcpy(to + i * sizeof(word), &word, sizeof(word));
    }
}

static void write_words(text *to, av_slice from)
{
    for (apr_size_t at = 0; at < from.len; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        apr_size_t here = from.len - at < sizeof(word) ? from.len - at : sizeof(word);
        memcpy(&word, from.at + at, here);
        atomic_store_explicit(&to->words[at / sizeof(word)], word, memory_order_relaxed);
    }
    atomic_store_explicit(&to->len, from.len, memory_order_relaxed);
}

av_slice av_remote_document_copy(const av_remote_document *document, uint64_t *generation, apr_pool_t *pool)
{
    for (int i = 0; i < TRIES; i++) {
        *generation = av_remote_document_generation(document);
        const text *from = &document->texts[*generation & 1];
        apr_size_t len = atomic_load_explicit(&from->len, memory_order_relaxed);
        if (!*generation || len > AV_LARGEST_DOCUMENT) {
            continue;
        }
        char *bytes = apr_palloc(pool, len + sizeof(uint64_t));
        read_words(from, bytes, len);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&document->generation, memory_order_relaxed) == *generation) {
            return (av_slice){ bytes, len };
        }
    }
    return (av_slice){ NULL, 0 };
}

static bool is_same(const text *kept, av_slice other)
{
    uint64_t difference = atomic_load_explicit(&kept->len, memory_order_relaxed) ^ other.len;
    for (apr_size_t at = 0; !difference && at < other.len; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, other.at + at, other.len - at < sizeof(word) ? other.len - at : sizeof(word));
        difference = word ^ atomic_load_explicit(&kept->words[at / sizeof(word)], memory_order_relaxed);
    }
    return !difference;
}

void av_remote_document_publish(av_remote_document *document, av_slice said, apr_time_t now)
{
    uint64_t generation = av_remote_document_generation(document);
    if (!generation || !is_same(&document->texts[generation & 1], said)) {
        atomic_thread_fence(memory_order_release);
        write_words(&document->texts[(generation + 1) & 1], said);
        atomic_store_explicit(&document->generation, generation + 1, memory_order_release);
    }
    atomic_store_explicit(&document->had, now, memory_order_relaxed);
}

apr_time_t av_remote_document_time(const av_remote_document *document)
{
    return atomic_load_explicit(&document->had, memory_order_relaxed);
}

void av_remote_document_want(av_remote_document *document)
{
    if (!atomic_load_explicit(&document->is_wanted, memory_order_relaxed)) {
        atomic_store_explicit(&document->is_wanted, true, memory_order_relaxed);
    }
}

bool av_remote_document_is_due(av_remote_document *document, apr_time_t now, apr_interval_time_t refresh,
                               apr_interval_time_t pause, apr_interval_time_t least)
{
    apr_time_t had = av_remote_document_time(document);
    apr_time_t asked = atomic_load_explicit(&document->asked, memory_order_relaxed);
    bool is_old = (!had || now - had >= refresh) && now - asked >= pause;
    bool is_wanted = atomic_load_explicit(&document->is_wanted, memory_order_relaxed) && now - asked >= least;
    if (is_old || is_wanted) {
        atomic_store_explicit(&document->asked, now, memory_order_relaxed);
        atomic_store_explicit(&document->is_wanted, false, memory_order_relaxed);
    }
    return is_old || is_wanted;
}
