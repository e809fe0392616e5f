/* Fetches documents over HTTPS, several at a time, without waiting for any of them longer than it is told.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_DOCUMENT_FETCH_H
#define AVH_DOCUMENT_FETCH_H

#include "../core/slice.h"

#include <apr_time.h>

typedef struct avh_fetcher avh_fetcher;
typedef struct avh_fetch avh_fetch;

/* A fetcher for one thread. NULL: there is no memory. */
avh_fetcher *avh_fetcher_create(void);

/* Ends everything that it fetches. */
void avh_fetcher_destroy(avh_fetcher *fetcher);

/* Begins to fetch `url`, which must be https: at most AV_LARGEST_DOCUMENT bytes, within ten seconds, answered with 200
 * and no redirect, by a server whose certificate is right by `authorities` (a file in PEM; NULL: the system's). NULL:
 * no memory. */
avh_fetch *avh_fetch_begin(avh_fetcher *fetcher, const char *url, const char *authorities);

/* Lets everything go on, for `wait` at most or until something is done. */
void avh_fetcher_run(avh_fetcher *fetcher, apr_interval_time_t wait);

/* Is it done? Then *error is NULL and *text what was fetched, or *error is a sentence, in `pool`. A fetch that is done
 * must be ended, and nothing of it but what is in `pool` may be used afterwards. */
bool avh_fetch_is_done(avh_fetch *fetch, av_slice *text, const char **error, apr_pool_t *pool);

void avh_fetch_end(avh_fetcher *fetcher, avh_fetch *fetch);

#endif
