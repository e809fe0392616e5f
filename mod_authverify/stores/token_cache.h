/* Remembers what proven tokens say, so that a signature is checked once and not for each request.
 *
 * It holds no token: an entry is found by the SHA-256 of one, and by who asks, a rule's settings, since what is right for
 * one rule is wrong for another.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TOKEN_CACHE_H
#define AV_TOKEN_CACHE_H

#include "../core/token.h"

#include <apr_time.h>

typedef struct av_token_cache av_token_cache;

/* A cache of a fixed size; a newcomer takes the place of whoever is in its slot. Any number of threads may use it;
 * nothing is locked. A process that is forked has its own from then on. NULL where there is no memory. */
av_token_cache *av_token_cache_create(apr_pool_t *pool);

/* Copies the notes on a token that is not over at `now`. False, and `notes` unspecified, where there are none. */
bool av_token_cache_find(const av_token_cache *cache, const av_token_name *name, apr_time_t now, av_token_notes *notes);

void av_token_cache_add(av_token_cache *cache, const av_token_name *name, apr_time_t expires,
                        const av_token_notes *notes);

#endif
