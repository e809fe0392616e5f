/* The lists of clients that rules name: opened once, kept over graceful restarts, and watched by one child for all.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_CLIENTS_H
#define AVH_CLIENTS_H

#include "config.h"

/* av_compiler.open_clients; the baton is the server_rec. A file that several rules name is opened once, and one that
 * was open before a graceful restart stays open: where it has become wrong since, the set that was in force stays, with
 * a warning. */
const char *avh_clients_open(void *baton, const char *location, const av_client_source **source);

/* Hook post_config: has the files watched. Returns OK, or an error where mod_watchdog is missing and a file needs it.
 * */
int avh_clients_watch(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

#endif
