/* A file of networks: from=file:PATH.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_NETWORK_FILE_H
#define AV_NETWORK_FILE_H

#include "network.h"

/* Adds every network of the file to `networks`; see av_networks_add_lines for how it is written. A relative path begins
 * at `base`. Returns NULL or a sentence with the remedy: not there, not a plain file, writable by others than its owner
 * (who must be root or whoever runs this), longer than 64 MiB, or what stands in it, with its line. */
const char *av_network_file_add(av_networks *networks, const char *path, const char *base, apr_pool_t *pool);

#endif
