/* A file that is changed under a lock: added to, or replaced in one step by a new one beside it. Whoever reads it
 * meanwhile sees the old file or the new one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_FILE_EDIT_H
#define AV_FILE_EDIT_H

#include <apr_pools.h>
#include <apr_time.h>
#include <stdbool.h>
#include <sys/stat.h>

/* For a lock that is waited for until it is had. */
#define AV_FOR_EVER ((apr_time_t)0)

typedef struct av_file_edit {
    const char *path;
    int file; /* open until the pool is cleared, and as long locked where it was locked */
    struct stat was;
    apr_pool_t *pool;
} av_file_edit;

/* Opens a plain file with these flags of open(2), and 0640 where it is made. Returns NULL or a sentence. */
const char *av_file_edit_open(av_file_edit *edit, const char *path, int flags, apr_pool_t *pool);

/* The same, and waits until nobody else has it locked (flock(2)): processes and threads alike. After `until` the
 * sentence says that it is being changed. */
const char *av_file_edit_lock(av_file_edit *edit, const char *path, int flags, apr_time_t until, apr_pool_t *pool);

/* Ends it before the pool does. */
void av_file_edit_close(av_file_edit *edit);

/* Adds bytes to the end, which are on the disk then. Returns NULL or a sentence: the file is as it was. */
const char *av_file_edit_append(av_file_edit *edit, const char *bytes, apr_size_t len);

/* What is to take the file's place. */
typedef struct av_successor {
    char *path;
    int file; /* to be written; -1: closed */
} av_successor;

/* Makes an empty one in the same folder, of the same owner and mode. Returns NULL, or a sentence: there is none then. */
const char *av_successor_make(const av_file_edit *edit, av_successor *made);

/* Writes all of it; false: errno says why. */
bool av_successor_write(const av_successor *made, const char *bytes, apr_size_t len);

/* It is written, and goes to the disk. Returns NULL or a sentence. */
const char *av_successor_close(const av_file_edit *edit, av_successor *made);

/* It takes the file's name, for good. Returns NULL or a sentence: nothing of it is left, or it may not last. */
const char *av_successor_put(const av_file_edit *edit, const av_successor *made);

/* It is not to be: nothing of it is left, and the file is as it was. */
void av_successor_drop(av_successor *made);

#endif
