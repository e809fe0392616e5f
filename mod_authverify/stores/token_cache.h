/* Remembers what tokens say, so that a signature is checked, or somebody asked, once and not for each request.
 *
 * It holds no token: an entry is found by the SHA-256 of one, and by who asks, a rule's settings, since what is right for
 * one rule is wrong for another.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TOKEN_CACHE_H
#define AV_TOKEN_CACHE_H

#include "../core/token.h"

typedef struct av_token_cache av_token_cache;

typedef struct av_token_cache_shape {
    apr_size_t tokens; /* a newcomer takes the place of whoever is in its slot */
    apr_size_t room;   /* bytes of notes on one of them, a multiple of 8, AV_MOST_TOKEN_NOTES at most */
    bool is_shared;    /* by all processes that are forked from now on; else each of them has its own */
} av_token_cache_shape;

/* Lives as long as `pool`. Any number of threads may use it; nothing is locked. NULL where there is no memory. */
av_token_cache *av_token_cache_create(av_token_cache_shape shape, apr_pool_t *pool);

/* Copies the notes on a token that is not over at `now`. *len is the room for them, and then how long they are. False,
 * and `notes` unspecified, where there are none. */
bool av_token_cache_find(const av_token_cache *cache, const av_token_name *name, apr_time_t now, void *notes,
                         apr_size_t *len);

/* Keeps notes; longer ones than there is room for are not kept. */
void av_token_cache_add(av_token_cache *cache, const av_token_name *name, apr_time_t expires, const void *notes,
                        apr_size_t len);

#endif
