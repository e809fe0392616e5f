/* Counters that leak: how often something has happened to a key lately. For keys that strangers choose.
 *
 * A table is of a fixed size and lies in shared memory. A counter is one word that tells when it will have leaked empty
 * (the leaky bucket as a meter; ITU-T I.371 calls it the virtual scheduling algorithm), changed by one compare-and-swap.
 * Nothing is locked, and nothing is written but where something is counted.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_LEAKY_TABLE_H
#define AV_LEAKY_TABLE_H

#include "../core/slice.h"

#include <apr_time.h>
#include <stdint.h>

/* Places where a key may have its counter. Where they are taken, a newcomer takes the place of the counter that is nearest
 * to being empty, if that is not fuller than the newcomer: nobody gets rid of a counter that has counted twice by filling
 * the table with others. Where all are fuller, the newcomer is not counted. */
#define AV_LEAKY_WAYS 8

/* Keys of different groups do not take each other's places. Of one group all have the same limit. */
#define AV_LEAKY_GROUPS 5
#define AV_LEAKY_GROUP_SIZE 8192 /* counters */

/* Finds keys by a keyed hash, of which a counter keeps 32 bits: one key in 2^32 / AV_LEAKY_WAYS meets another's. */
typedef struct av_leaky_table av_leaky_table;

/* How often is too often. most * leak is a day at most. */
typedef struct av_leaky_limit {
    uint32_t most; /* at once, 1 at least */
    uint32_t leak; /* milliseconds in which one of them is forgotten, 1 at least */
} av_leaky_limit;

/* `count` empty tables in anonymous memory, one behind the other, shared with the children that are forked afterwards; a
 * page costs memory once something is counted in it. They hold no pointer: they may outlive the code that uses them.
 * NULL where there is no memory, or no random number. */
av_leaky_table *av_leaky_tables_create(apr_size_t count);
void av_leaky_tables_release(av_leaky_table *tables, apr_size_t count);
av_leaky_table *av_leaky_tables_at(av_leaky_table *tables, apr_size_t index);

/* How long until there is room for one more; 0: there is. */
apr_interval_time_t av_leaky_wait(const av_leaky_table *table, unsigned group, av_slice key, av_leaky_limit limit,
                                  apr_time_t now);

/* Counts one more where there is room, and returns 0; otherwise how long until there is. */
apr_interval_time_t av_leaky_take(av_leaky_table *table, unsigned group, av_slice key, av_leaky_limit limit,
                                  apr_time_t now);

/* Counts one more, room or not, up to twice the limit: what came at the same time and was too much is paid off later. */
void av_leaky_add(av_leaky_table *table, unsigned group, av_slice key, av_leaky_limit limit, apr_time_t now);

#endif
