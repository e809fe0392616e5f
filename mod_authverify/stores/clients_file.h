/* A file of clients, in shared memory: every child looks into one immutable snapshot, and a look-up copies its one
 * record out. It is read again when it changes (watched_file.h).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_CLIENTS_FILE_H
#define AV_CLIENTS_FILE_H

#include "../core/client.h"
#include "watched_file.h"

typedef struct av_clients_file av_clients_file;

/* Opens the file; see av_watched_file_open. Every line that cannot be right is a mistake with its number and reason:
 * the first 20 of them, a line each. `crypto` lives as long as `pool`. */
const char *av_clients_file_open(const av_watch *watch, const av_crypto *crypto, apr_pool_t *pool,
                                 av_clients_file **file);

/* Where rules look clients up. Lives as long as the file. */
const av_client_source *av_clients_file_source(const av_clients_file *file);

/* What is asked to read it again. */
const av_watched_file *av_clients_file_watched(const av_clients_file *file);

#endif
