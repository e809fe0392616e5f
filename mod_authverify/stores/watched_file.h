/* A file that is read again when it changes, for all processes at once: its set lies in shared memory that was made
 * before the children were forked.
 *
 * The memory has two slots. Whoever refreshes fills the idle one and then says in one word that it counts: nothing is
 * pinned, nothing is locked, and a file that is not right leaves the set in force that was there.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_WATCHED_FILE_H
#define AV_WATCHED_FILE_H

#include "file_lines.h"
#include "slot.h"

#include <apr_pools.h>
#include <apr_time.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct av_watched_file av_watched_file;

/* What a kind of file holds, and how it is read. */
typedef struct av_watched_kind {
    const char *noun; /* of its entries, many of them */
    bool is_private;  /* not everybody may read it */
    /* Reads a file into an empty slot. Returns NULL, or what is wrong, a line each, in `pool`. */
    const char *(*fill)(const void *baton, av_slot to, const av_opened_file *from, apr_pool_t *pool);
} av_watched_kind;

/* Memory for one file. It may outlive whatever code uses it: it holds no pointer. */
typedef struct av_shared_memory {
    void *at; /* NULL: there is none */
    apr_size_t size;
} av_shared_memory;

/* Which file, who reads it, and what is known of it. */
typedef struct av_watch {
    const char *path;        /* absolute; copied */
    uid_t runner;            /* the user that the children will be: may own the file, and must be able to read it */
    av_shared_memory memory; /* of this file, by av_shared_memory_reserve; it stays the caller's */
} av_watch;

typedef enum av_refresh {
    AV_REFRESH_UNCHANGED, /* nothing new, or the same mistake as last time */
    AV_REFRESH_LOADED,    /* another set is in force */
    AV_REFRESH_REFUSED    /* the file is not right, and this has not been said yet: the old set stays in force */
} av_refresh;

/* Reserves memory for the file at `path`, and for it to grow: addresses, of which a page costs memory once it is
 * written. Children that are forked afterwards share it. */
av_shared_memory av_shared_memory_reserve(const char *path);
void av_shared_memory_release(av_shared_memory memory);

/* The same, released with the pool. */
av_shared_memory av_shared_memory_make(const char *path, apr_pool_t *pool);

/* Loads the file, as whoever starts the server; but a set that the memory holds already stays in force, whatever the
 * file has become. Returns NULL with *file set, or a sentence with the remedy: no memory, a file that is missing, not
 * plain, writable by others than its owner, readable by everybody (a private kind), not owned by root or the runner,
 * not ending in a line feed, and whatever its kind says of its lines. `kind` and `baton` outlive the file, which lives
 * in `pool`. */
const char *av_watched_file_open(const av_watch *watch, const av_watched_kind *kind, const void *baton,
                                 apr_pool_t *pool, av_watched_file **file);

/* Loads the file again if it has changed since it was last looked at (device, inode, size, time of its status change to
 * the nanosecond). Waits some milliseconds where that was this very moment, so that a change right behind it is not
 * missed; one that changes while it is read is left for the next call. Where another process is at it, that one does it
 * and this call changes nothing; look-ups go on meanwhile. `message` is set where there is something to log, in `pool`.
 */
av_refresh av_watched_file_refresh(const av_watched_file *file, const char **message, apr_pool_t *pool);

/* For who changes the file himself and what is in force of it, in one. Waits until nobody refreshes the file, in whatever
 * process, and keeps others from it; false: not by `until`. */
bool av_watched_file_hold(const av_watched_file *file, apr_time_t until);
void av_watched_file_release(const av_watched_file *file);

/* While it is held: what is in force becomes what the open file `descriptor` holds, which has the file's name. Returns
 * NULL, or a sentence: the set from before is in force. */
const char *av_watched_file_catch_up(const av_watched_file *file, int descriptor, apr_pool_t *pool);

/* While it is held: what is in force has become what the open file holds, without a load. */
void av_watched_file_is_at(const av_watched_file *file, int descriptor);

/* Whether whoever calls could read the file again: NULL or a sentence with the remedy, in `pool`. */
const char *av_watched_file_reach(const av_watched_file *file, apr_pool_t *pool);

/* This mistake was told: av_watched_file_refresh keeps silent about it. */
void av_watched_file_note(const av_watched_file *file, const char *mistake);

const char *av_watched_file_path(const av_watched_file *file);

/* How many entries are in force. */
apr_size_t av_watched_file_count(const av_watched_file *file);

/* Looking something up: take the slot that counts, read, and ask whether it still does. If not, what was read may be
 * wrong: begin again, AV_WATCHED_TRIES times in all. */
#define AV_WATCHED_TRIES 8

av_slot av_watched_file_slot(const av_watched_file *file, uint64_t *generation);
bool av_watched_file_is_still(const av_watched_file *file, uint64_t generation);

#endif
