/* Slots with a version each.
 *
 * A slot is written by one at a time: its version is odd meanwhile. Who reads and finds the same even version before and
 * after has read one entry.
 * SPDX-License-Identifier: Apache-2.0 */
#include "entries.h"

#include <stdatomic.h>
#include <string.h>

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a look-up must not lock");

enum { VERSION, LENGTH, NAME }; /* the value follows the name */

struct av_entries {
    av_entries_shape shape;
    _Atomic uint64_t words[];
};

static apr_size_t words_of(av_entries_shape shape)
{
    return NAME + shape.name_words + shape.room / sizeof(uint64_t);
}

apr_size_t av_entries_size(av_entries_shape shape)
{
    return sizeof(av_entries) + shape.slots * words_of(shape) * sizeof(uint64_t);
}

av_entries *av_entries_create(void *memory, av_entries_shape shape)
{
    av_entries *entries = memory;
    entries->shape = shape;
    return entries;
}

static apr_size_t slot_of(const av_entries *entries, const uint64_t *name)
{
    return name[0] % entries->shape.slots * words_of(entries->shape);
}

static uint64_t get(const _Atomic uint64_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

static void set(_Atomic uint64_t *at, uint64_t word)
{
    atomic_store_explicit(at, word, memory_order_relaxed);
}

static bool has_name(const _Atomic uint64_t *slot, const uint64_t *name, apr_size_t words)
{
    uint64_t difference = 0;
    for (apr_size_t i = 0; i < words; i++) {
        difference |= get(&slot[NAME + i]) ^ name[i];
    }
    return !difference;
}

static void copy_out(const _Atomic uint64_t *from, char *to, apr_size_t len)
{
    for (apr_size_t at = 0; at < len; at += sizeof(uint64_t)) {
        uint64_t word = get(from++);
        memcpy(to + at, &word, len - at < sizeof(word) ? len - at : sizeof(word));
    }
}

static void copy_in(_Atomic uint64_t *to, const char *from, apr_size_t len)
{
    for (apr_size_t at = 0; at < len; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, from + at, len - at < sizeof(word) ? len - at : sizeof(word));
        set(to++, word);
    }
}

bool av_entries_find(const av_entries *entries, const uint64_t *name, void *value, apr_size_t *len)
{
    const _Atomic uint64_t *slot = &entries->words[slot_of(entries, name)];
    uint64_t version = atomic_load_explicit(&slot[VERSION], memory_order_acquire);
    if (!version || version & 1 || !has_name(slot, name, entries->shape.name_words)) {
        return false;
    }
    apr_size_t size = get(&slot[LENGTH]);
    if (size > *len || size > entries->shape.room) {
        return false;
    }
    copy_out(slot + NAME + entries->shape.name_words, value, size);
    *len = size;
    atomic_thread_fence(memory_order_acquire);
    return get(&slot[VERSION]) == version;
}

void av_entries_add(av_entries *entries, const uint64_t *name, const void *value, apr_size_t len)
{
    _Atomic uint64_t *slot = &entries->words[slot_of(entries, name)];
    uint64_t version = get(&slot[VERSION]);
    if (version & 1 || !atomic_compare_exchange_strong_explicit(&slot[VERSION], &version, version + 1,
                                                                memory_order_acquire, memory_order_relaxed)) {
        return; /* somebody else is writing here */
    }
    atomic_thread_fence(memory_order_release);
    set(&slot[LENGTH], len);
    for (apr_size_t i = 0; i < entries->shape.name_words; i++) {
        set(&slot[NAME + i], name[i]);
    }
    copy_in(slot + NAME + entries->shape.name_words, value, len);
    atomic_store_explicit(&slot[VERSION], version + 2, memory_order_release);
}
