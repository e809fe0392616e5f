/* A list of clients that the token endpoint writes itself: the pairs that it has issued.
 *
 * A pair is added to the end of the file, and to the set that is in force in shared memory, in one: that costs the same
 * among ten pairs and among a million. When the set has no room for another one, which happens after as many pairs as
 * it holds half of, the file is written anew without those that have expired, and read.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_ISSUED_FILE_H
#define AV_ISSUED_FILE_H

#include "../core/client.h"
#include "watched_file.h"

typedef struct av_issued_file av_issued_file;

/* Before the file is opened as a list of clients, by whoever starts the server: is it one that `runner`, the user that
 * the children will be, may write, and no other's? Cuts off half a line, which whoever wrote it was killed over. Returns
 * NULL or a sentence with the remedy: missing, a symbolic link, not plain, not the runner's, without its mark in the
 * first line. */
const char *av_issued_file_check(const char *path, uid_t runner, apr_pool_t *pool);

/* Whether whoever calls could put another file in its place: NULL or a sentence. */
const char *av_issued_file_reach(const char *path, apr_pool_t *pool);

/* Keeps pairs in that file, which is open as a list of clients. `crypto` lives as long as `pool`. */
const av_pair_store *av_issued_file_store(const av_watched_file *watched, const av_crypto *crypto, apr_pool_t *pool);

#endif
