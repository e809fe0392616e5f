/* A file of clients, in shared memory: one immutable snapshot that every child looks into, and room to build the next.
 *
 * The memory is made before the children are forked. Whoever refreshes fills the idle half and then says in one word
 * that it counts; a look-up copies its one record out, so nothing is pinned and nothing is locked. A file that is not
 * right leaves the snapshot in force that was there.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_CLIENTS_FILE_H
#define AV_CLIENTS_FILE_H

#include "../core/client.h"

typedef struct av_clients_file av_clients_file;

typedef enum av_refresh {
    AV_REFRESH_UNCHANGED, /* nothing new, or the same mistake as last time */
    AV_REFRESH_LOADED,    /* another set is in force */
    AV_REFRESH_REFUSED    /* the file is not right, and this has not been said yet: the old set stays in force */
} av_refresh;

/* Reserves the memory and loads the file at `path` (absolute), as whoever starts the server. `runner` is the user that
 * the children will be (may own the file; must be able to read it). Returns NULL with *file set, or a sentence with the
 * remedy: missing, not a plain file, writable by others than its owner, readable by everybody, not owned by root or
 * `runner`, not ending in a line feed, and every line that cannot be right with its number and reason (the first 20 of
 * them, a line each).
 * Everything lives until `pool` is cleared; the children inherit it. */
const char *av_clients_file_open(const char *path, uid_t runner, const av_crypto *crypto, apr_pool_t *pool,
                                 av_clients_file **file);

/* Where rules look clients up. Lives as long as the file. */
const av_client_source *av_clients_file_source(const av_clients_file *file);

/* Loads the file again if it has changed since it was last looked at (device, inode, size, time of its status change to
 * the nanosecond). Waits some milliseconds where that was this very moment, so that a change right behind it is not
 * missed.
 * Where another process is at it, that one does it and this call changes nothing; look-ups go on meanwhile. `message`
 * is set where there is something to log, in `pool`, which may be cleared afterwards. */
av_refresh av_clients_file_refresh(av_clients_file *file, const char **message, apr_pool_t *pool);

/* How many clients are in force. */
apr_size_t av_clients_file_count(const av_clients_file *file);

#endif
