/* Keys that others publish: fetched by one child for all, kept over graceful restarts, read by each process for itself.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_REMOTE_KEYS_H
#define AVH_REMOTE_KEYS_H

#include "config.h"

#include "../core/key_source.h"

/* av_compiler.open_keys; the baton is the server_rec. Rules that say the same share a source. */
const char *avh_remote_keys_open(void *baton, const av_key_location *location, const av_key_source **source);

/* Hook post_config: has the keys fetched. Returns OK, or an error where mod_watchdog is missing and keys need it. */
int avh_remote_keys_watch(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

#endif
