/* Remembers which passwords were right, so that a password hash that is slow by design is computed once, not for each
 * request.
 *
 * It holds no password: an entry is a keyed hash over the client, the stored hash and what was presented, under a key
 * that is random in each process. A changed password has another stored hash, and so no entry. Wrong passwords are not
 * remembered.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_VERDICT_CACHE_H
#define AV_VERDICT_CACHE_H

#include "../core/digest.h"

#include <stdint.h>

typedef struct av_verdict_cache av_verdict_cache;

/* What is remembered. */
typedef struct av_verdict_key {
    uint64_t high, low;
} av_verdict_key;

/* A cache of a fixed size; a newcomer takes the place of whoever is in its slot. Any number of threads may use it;
 * nothing is locked. A process that is forked has its own from then on. NULL where the library has no random bytes. */
av_verdict_cache *av_verdict_cache_create(const av_crypto *crypto, apr_pool_t *pool);

/* The key of one presented secret. False: the library failed. */
bool av_verdict_cache_key(const av_verdict_cache *cache, av_slice client, av_slice stored, av_slice presented,
                          av_verdict_key *key);

bool av_verdict_cache_has(const av_verdict_cache *cache, const av_verdict_key *key);

void av_verdict_cache_add(av_verdict_cache *cache, const av_verdict_key *key);

#endif
