/* Entries that are found by name, in a fixed number of slots: what the memories of this folder are made of.
 *
 * Any number of threads may use them, and processes where the memory is shared; nothing is locked. A newcomer takes the
 * place of whoever is in its slot. A process that dies while it writes leaves its slot unused from then on.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_ENTRIES_H
#define AV_ENTRIES_H

#include <apr.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct av_entries av_entries;

typedef struct av_entries_shape {
    apr_size_t slots;
    apr_size_t name_words; /* of 8 bytes; the first word chooses the slot: it must be spread evenly */
    apr_size_t room;       /* bytes of a value, at most; a multiple of 8 */
} av_entries_shape;

/* Bytes of memory for entries of that shape. */
apr_size_t av_entries_size(av_entries_shape shape);

/* Makes entries of zeroed memory of that size, aligned for words, whose owner decides who shares it, wipes and frees it.
 * Returns `memory`. */
av_entries *av_entries_create(void *memory, av_entries_shape shape);

/* Copies the value of that name. *len is the room that `value` has, and then how long the value is. False, and `value`
 * unspecified, where there is none, it is longer than that, or it is being exchanged. */
bool av_entries_find(const av_entries *entries, const uint64_t *name, void *value, apr_size_t *len);

/* Keeps a value, which must not be longer than the shape's room. Does nothing where somebody else is writing into the
 * same slot. */
void av_entries_add(av_entries *entries, const uint64_t *name, const void *value, apr_size_t len);

#endif
