/* A file of networks, in shared memory: from=file:PATH. It is read again when it changes (watched_file.h); a look-up
 * searches where the words lie.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_NETWORKS_FILE_H
#define AV_NETWORKS_FILE_H

#include "../core/network.h"
#include "watched_file.h"

typedef struct av_networks_file av_networks_file;

/* Opens the file; see av_watched_file_open. Every line that is no list of networks (av_networks_add_line) is a mistake
 * with its number and reason: the first 20 of them, a line each. So is a file that names none. */
const char *av_networks_file_open(const av_watch *watch, apr_pool_t *pool, av_networks_file **file);

/* Where rules look addresses up. Lives as long as the file. */
const av_network_source *av_networks_file_source(const av_networks_file *file);

/* What is asked to read it again. */
const av_watched_file *av_networks_file_watched(const av_networks_file *file);

#endif
