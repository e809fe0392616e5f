/* A clients file as its lines: read, changed under a lock, and replaced in one step. A server that reads it
 * meanwhile sees the old file or the new one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_CLIENTS_EDIT_H
#define AVT_CLIENTS_EDIT_H

#include "../stores/file_edit.h"
#include "tool.h"

#include <apr_tables.h>

typedef struct avt_clients {
    av_file_edit edit;         /* whose path is without symbolic links */
    apr_array_header_t *lines; /* of av_slice, without their line feeds; comments and empty ones too */
    apr_pool_t *pool;
} avt_clients;

/* Reads the file. Returns NULL or a sentence: missing, not a plain file, not ending in a line feed. */
const char *avt_clients_read(avt_clients *clients, const char *path, apr_pool_t *pool);

/* The same, waiting until nobody else edits the file; makes it (mode 0640, empty) where it is missing and `create` is
 * set. The lock is held until `pool` is cleared. */
const char *avt_clients_edit(avt_clients *clients, const char *path, bool create, apr_pool_t *pool);

/* Replaces the file by the lines: a new file in the same folder, of the same owner and mode, on the disk before it
 * takes the name, and looked at as httpd does. Returns NULL or a sentence; the old file is untouched then. */
const char *avt_clients_save(const avt_clients *clients);

/* The line is that of a client: neither empty nor a comment. */
bool avt_is_client(av_slice line);

/* How many lines are clients'. */
int avt_clients_count(const avt_clients *clients);

/* The list is one that the token endpoint writes (clients_line.h), and may be empty. */
bool avt_clients_are_issued(const avt_clients *clients);

/* Where the client of that name (not encoded) stands: *index is -1 where there is none. Returns NULL, or a sentence
 * where it is there twice. */
const char *avt_clients_find(const avt_clients *clients, const char *id, int *index);

#endif
