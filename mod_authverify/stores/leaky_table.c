/* Counters that leak.
 * SPDX-License-Identifier: Apache-2.0 */
#include "leaky_table.h"
#include "siphash.h"

#include <openssl/rand.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define SETS (AV_LEAKY_GROUP_SIZE / AV_LEAKY_WAYS)

/* How far requests may be apart whose times are compared, and how far a clock may be put back before counters that now
 * end in a distant future are forgotten instead. */
#define CLOCK_SLACK (10 * 60 * 1000)

/* Where one key may be: a line of the processor's cache. A word is 32 bits of the key's hash, and the millisecond,
 * modulo 2^32, at which its counter is empty; 0 is no counter. */
typedef struct set {
    _Alignas(64) _Atomic uint64_t words[AV_LEAKY_WAYS];
} set;

struct av_leaky_table {
    uint64_t key[2]; /* of the hash */
    set sets[AV_LEAKY_GROUPS][SETS];
};

av_leaky_table *av_leaky_tables_create(apr_size_t count)
{
    void *memory =
        mmap(NULL, count * sizeof(av_leaky_table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    av_leaky_table *tables = memory;
    for (apr_size_t i = 0; i < count; i++) {
        if (RAND_bytes((unsigned char *)tables[i].key, sizeof(tables[i].key)) != 1) {
            av_leaky_tables_release(tables, count);
            return NULL;
        }
    }
    return tables;
}

void av_leaky_tables_release(av_leaky_table *tables, apr_size_t count)
{
    munmap(tables, count * sizeof(*tables));
}

av_leaky_table *av_leaky_tables_at(av_leaky_table *tables, apr_size_t index)
{
    return &tables[index];
}

/* What is looked for, where, and when. */
typedef struct look {
    uint64_t tag; /* the upper half of a word; never 0 */
    size_t set;   /* of its group */
    uint32_t now;
    av_leaky_limit limit;
} look;

static look look_for(const av_leaky_table *table, av_slice key, av_leaky_limit limit, apr_time_t now)
{
    uint64_t hash = av_siphash(table->key, key), tag = hash & ~(uint64_t)UINT32_MAX;
    return (look){ tag ? tag : (uint64_t)1 << 32, hash % SETS, (uint32_t)apr_time_as_msec(now), limit };
}

/* Milliseconds until the counter is empty. */
static uint32_t left_of(uint64_t word, const look *what)
{
    uint32_t left = (uint32_t)word - what->now;
    uint32_t most = 2 * what->limit.most * what->limit.leak + CLOCK_SLACK;
    return word && left <= most ? left : 0;
}

static bool is_its_own(uint64_t word, const look *what)
{
    return word >> 32 == what->tag >> 32;
}

/* What one more needs beyond `room`, all in milliseconds of leaking. */
static uint32_t excess(uint32_t left, const look *what, uint32_t room)
{
    uint32_t needed = left + what->limit.leak;
    return needed > room ? needed - room : 0;
}

static uint32_t room_of(av_leaky_limit limit)
{
    return limit.most * limit.leak;
}

apr_interval_time_t av_leaky_wait(const av_leaky_table *table, unsigned group, av_slice key, av_leaky_limit limit,
                                  apr_time_t now)
{
    look what = look_for(table, key, limit, now);
    const set *among = &table->sets[group][what.set];
    for (int i = 0; i < AV_LEAKY_WAYS; i++) {
        uint64_t word = atomic_load_explicit(&among->words[i], memory_order_relaxed);
        if (is_its_own(word, &what)) {
            return apr_time_from_msec(excess(left_of(word, &what), &what, room_of(limit)));
        }
    }
    return 0;
}

/* The key's own place, or else the emptiest, with the word that was found there. */
static _Atomic uint64_t *find_place(set *among, const look *what, uint64_t *found)
{
    _Atomic uint64_t *place = NULL;
    for (int i = 0; i < AV_LEAKY_WAYS; i++) {
        uint64_t word = atomic_load_explicit(&among->words[i], memory_order_relaxed);
        bool is_own = is_its_own(word, what);
        if (is_own || !place || left_of(word, what) < left_of(*found, what)) {
            place = &among->words[i];
            *found = word;
        }
        if (is_own) {
            break;
        }
    }
    return place;
}

/* One more for the key, unless it then needs more than `room`. */
static apr_interval_time_t count(set *among, const look *what, uint32_t room)
{
    uint64_t found = 0, counted;
    _Atomic uint64_t *place;
    do {
        place = find_place(among, what, &found);
        uint32_t left = left_of(found, what);
        if (!is_its_own(found, what)) {
            if (left > what->limit.leak) {
                return 0; /* all that are here are worse */
            }
            left = 0;
        }
        uint32_t wait = excess(left, what, room);
        if (wait) {
            return apr_time_from_msec(wait);
        }
        counted = what->tag | (uint32_t)(what->now + left + what->limit.leak);
    } while (
        !atomic_compare_exchange_weak_explicit(place, &found, counted, memory_order_relaxed, memory_order_relaxed));
    return 0;
}

apr_interval_time_t av_leaky_take(av_leaky_table *table, unsigned group, av_slice key, av_leaky_limit limit,
                                  apr_time_t now)
{
    look what = look_for(table, key, limit, now);
    return count(&table->sets[group][what.set], &what, room_of(limit));
}

void av_leaky_add(av_leaky_table *table, unsigned group, av_slice key, av_leaky_limit limit, apr_time_t now)
{
    look what = look_for(table, key, limit, now);
    count(&table->sets[group][what.set], &what, 2 * room_of(limit));
}
