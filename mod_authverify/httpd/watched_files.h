/* The files that rules name and that may change while httpd runs: opened once, kept over graceful restarts, and watched
 * by one child for all.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_WATCHED_FILES_H
#define AVH_WATCHED_FILES_H

#include "config.h"

/* av_compiler.open_clients and .open_networks; the baton is the server_rec. A file that several rules name is opened
 * once, and one that was open before a graceful restart stays open: where it has become wrong since, the set that was
 * in force stays, with an error in the log. */
const char *avh_clients_open(void *baton, const char *location, const av_client_source **source);
const char *avh_networks_open(void *baton, const char *location, const av_network_source **source);

/* av_compiler.open_issued; likewise. What the token endpoint writes is a list of clients, and rules may name it, too. */
const char *avh_issued_open(void *baton, const char *location, const av_pair_store **store,
                            const av_client_source **source);

/* For check_config, as root: warns of each file that the user of the children cannot read again, or not write anew
 * where he should. */
void avh_watched_files_check(server_rec *s, apr_pool_t *pool);

/* Hook post_config: has the files watched. Returns OK, or an error where mod_watchdog is missing and a file needs it.
 */
int avh_watched_files_watch(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

#endif
